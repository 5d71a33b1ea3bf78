#pragma once
// FakeObjectStore is what the fake API server remembers: objects by kind and name, their versions,
// and the changes that watches replay. It gives objects their identity as a real server does.
//
// Threads:  none of its own: under the server's lock.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/kube/resource.h"
#include "src/kube/watch_decoder.h"
#include "tests/support/field_owners.h"
#include "tests/support/json_tree.h"

namespace tracekeeper::test_support {

using SharedText = std::shared_ptr<const std::string>;

struct StoredObject {
  SharedText json;
  std::int64_t version = 0;
  FieldOwners owners;
};

struct Change {
  std::int64_t version = 0;
  kube::WatchEventType type = kube::WatchEventType::kAdded;
  const kube::Resource* resource = nullptr;
  kube::ObjectKey key;
  SharedText json;
  SharedText previous;  // null for a new object
};

class FakeObjectStore {
 public:
  using Objects = std::map<kube::ObjectKey, StoredObject>;

  explicit FakeObjectStore(const Clock& clock);

  const kube::Resource* Serve(const kube::Resource& resource);
  [[nodiscard]] const kube::Resource* FindResource(std::string_view group, std::string_view version,
                                                   std::string_view plural) const;
  [[nodiscard]] std::vector<const kube::Resource*> ResourcesOf(std::string_view group,
                                                               std::string_view version) const;

  [[nodiscard]] const Objects& objects(const kube::Resource* resource) const;
  [[nodiscard]] StoredObject* Find(const kube::Resource* resource, const kube::ObjectKey& key);

  /// Creates or replaces. Nothing is written when the object is as it was.
  StoredObject& Write(const kube::Resource* resource, const kube::ObjectKey& key, JsonTree object);
  /// Removes; the change carries the object as it was last.
  bool Erase(const kube::Resource* resource, const kube::ObjectKey& key);

  [[nodiscard]] std::int64_t version() const { return version_; }
  /// Changes up to this version are forgotten.
  [[nodiscard]] std::int64_t compacted() const { return compacted_; }
  void Compact();
  /// The first change after `version`, or null.
  [[nodiscard]] const Change* After(std::int64_t version) const;

 private:
  const Clock& clock_;
  std::deque<kube::Resource> resources_;
  std::deque<std::string> texts_;  // what the resources' names point into
  std::map<const kube::Resource*, Objects> objects_;
  std::deque<Change> changes_;
  std::int64_t version_ = 1000;
  std::int64_t compacted_ = 0;
  std::int64_t next_uid_ = 1;
};

}  // namespace tracekeeper::test_support
