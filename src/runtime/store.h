#pragma once
// Store keeps, for one resource, a projection of every object: a struct T with the few fields that
// somebody reads. Readers get shared_ptr<const T>: no copy, no way to change the cache, and the
// object lives as long as they hold it.
//
//   Store<Pod> pods("pods", ProjectPod, log);
//   const IndexId by_node = pods.AddIndex("node", [](const Pod& pod) { return ...; });
//   pods.AddHandler(EnqueueKey<Pod>(controller.queue()));
//   for (const auto& pod : pods.Lookup(by_node, "node-1")) ...
//
// T         has `meta` or `metadata` (kube::ObjectMeta), or namespace_name() and name().
// Threads:  reads are safe from any thread; each one sees one state, indexes included. Writes come
//           from the reflector's thread alone. Handlers are called on that thread, one change at a
//           time, in order, after the change can be read: they enqueue a key and return. A handler
//           added late is called for what is there, on the thread that adds it, before AddHandler
//           returns. Handlers must not call AddHandler.
// Owner:    the Informer.
// Failure:  an object that the projection refuses is logged and left out; if it was known, its last
//           good state stays.
// Memory:   one projection and about 100 bytes per object; a relist replaces object by object, so
//           its peak is one page above that.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "src/base/log.h"
#include "src/base/result.h"
#include "src/kube/meta.h"
#include "src/runtime/change.h"
#include "src/runtime/reflector.h"
#include "src/runtime/uid.h"

namespace tracekeeper::runtime {

/// Names an index of one Store.
enum class IndexId : std::size_t {};

template <typename T>
class Store final : public ReflectorSink {
 public:
  using Object = std::shared_ptr<const T>;
  /// Makes the projection of one object; `object` is valid for the call only.
  using Project = std::function<Result<T>(codec::JsonValue object)>;
  using Handler = runtime::Handler<T>;
  /// The values under which an object is found. Depends on the object alone.
  using IndexFunction = std::function<std::vector<std::string>(const T&)>;

  /// `name` is for logs: "pods".
  Store(std::string name, Project project, Logger log)
      : name_(std::move(name)), project_(std::move(project)), log_(std::move(log)) {}

  /// Before the first object arrives.
  IndexId AddIndex(IndexFunction function);
  void AddHandler(Handler handler);

  /// Null when there is no such object.
  [[nodiscard]] Object Find(const kube::ObjectKey& key) const;
  [[nodiscard]] std::vector<Object> List() const;
  [[nodiscard]] std::vector<Object> Lookup(IndexId index, std::string_view value) const;
  [[nodiscard]] std::size_t Count(IndexId index, std::string_view value) const;
  [[nodiscard]] std::size_t size() const;

  /// The first full set has arrived and all handlers have seen it.
  [[nodiscard]] bool synced() const;

  // ReflectorSink
  void BeginReplace() override;
  void Upsert(codec::JsonValue object) override;
  void Remove(codec::JsonValue object) override;
  void Broken(const std::optional<kube::ObjectKey>& key, const Error& error) override;
  void EndReplace() override;
  void Redeliver() override;

 private:
  struct Entry {
    Object object;
    Uid uid;
    VersionNumber version = 0;
    // Of the last full set that named it. Bookkeeping, no part of what the set below compares.
    mutable std::uint32_t mark = 0;
  };
  struct KeyView {
    std::string_view namespace_name;
    std::string_view name;
  };
  static KeyView ViewOf(const Entry& entry) {
    return {NamespaceOf(*entry.object), NameOf(*entry.object)};
  }
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const KeyView& key) const {
      const std::hash<std::string_view> hash;
      return hash(key.namespace_name) * 0x9e3779b97f4a7c15ULL + hash(key.name);
    }
    std::size_t operator()(const Entry& entry) const { return (*this)(ViewOf(entry)); }
  };
  struct Equal {
    using is_transparent = void;
    template <typename Left, typename Right>
    bool operator()(const Left& left, const Right& right) const {
      const KeyView a = View(left);
      const KeyView b = View(right);
      return a.name == b.name && a.namespace_name == b.namespace_name;
    }
    static KeyView View(const KeyView& key) { return key; }
    static KeyView View(const Entry& entry) { return ViewOf(entry); }
  };
  using Entries = std::unordered_set<Entry, Hash, Equal>;

  // From a value to the objects under it. Values are few or short; node addresses are stable.
  struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct Index {
    IndexFunction function;
    std::unordered_map<std::string, std::unordered_set<const Entry*>, StringHash, std::equal_to<>>
        objects;
  };

  const Entry* FindEntry(KeyView key) const;
  void Put(const Entry* known, Entry entry);
  static void AddTo(Index& index, std::vector<std::string> values, const Entry* entry);
  static void RemoveFrom(Index& index, const std::vector<std::string>& values, const Entry* entry);
  void RemoveEntry(const Entry* entry, Object last_state, Certainty certainty);
  void Deliver(const Change<T>& change);

  const std::string name_;
  const Project project_;
  const Logger log_;

  // Held over a change and its delivery, so that a late handler misses nothing and sees nothing
  // twice. Taken before data_.
  mutable std::mutex delivery_;
  std::vector<Handler> handlers_;

  mutable std::shared_mutex data_;
  Entries entries_;
  std::vector<Index> indexes_;
  bool synced_ = false;

  std::uint32_t mark_ = 0;  // the reflector's thread alone
};

}  // namespace tracekeeper::runtime

#include "src/runtime/store_inl.h"
