#pragma once
// StatusWriter writes the status of objects of one kind, and remembers what it wrote until the
// cache shows it: a look in between would else plan from a status that is older than our own.
//
// Threads:  safe from any thread.
// Owner:    a controller; the client outlives it.
// Failure:  the client's errors; an object that is gone is none.

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/kube/client.h"
#include "src/kube/meta.h"
#include "src/kube/resource.h"

namespace tracekeeper::controllers {

/// Resource versions of one kind grow; one that is no number counts as oldest.
[[nodiscard]] std::uint64_t VersionOf(std::string_view resource_version);

/// Server-side apply of `status_json`. Its resource version; nothing when the object, or the one of
/// that uid, is gone.
Result<std::optional<std::uint64_t>> ApplyStatus(kube::Client& client,
                                                 const kube::Resource& resource,
                                                 const kube::ObjectMeta& meta,
                                                 std::string_view status_json,
                                                 const StopToken& stop);

template <typename ObjectStatus>
class StatusWriter {
 public:
  StatusWriter(const kube::Resource& resource, kube::Client& client)
      : resource_(resource), client_(client) {}

  /// False: the object is gone.
  Result<bool> Write(const kube::ObjectMeta& meta, const ObjectStatus& status,
                     std::string_view status_json, Instant now, const StopToken& stop) {
    const auto version = TRY(ApplyStatus(client_, resource_, meta, status_json, stop));
    if (!version) return false;
    const std::scoped_lock lock(mutex_);
    written_[meta.key] = {meta.uid, *version, status, now};
    return true;
  }

  /// What the cache shows as `status`, or what we wrote since.
  [[nodiscard]] ObjectStatus Newest(const kube::ObjectMeta& meta,
                                    const ObjectStatus& status) const {
    const std::scoped_lock lock(mutex_);
    const auto last = written_.find(meta.key);
    if (last == written_.end() || last->second.uid != meta.uid) return status;
    const bool cache_lags = VersionOf(meta.resource_version) < last->second.version;
    return cache_lags ? last->second.status : status;
  }

  [[nodiscard]] std::optional<Instant> LastWrite(const kube::ObjectKey& key) const {
    const std::scoped_lock lock(mutex_);
    const auto last = written_.find(key);
    if (last == written_.end()) return std::nullopt;
    return last->second.at;
  }

  void Forget(const kube::ObjectKey& key) {
    const std::scoped_lock lock(mutex_);
    written_.erase(key);
  }

 private:
  struct Written {
    std::string uid;
    std::uint64_t version = 0;
    ObjectStatus status;
    Instant at{};
  };

  const kube::Resource resource_;
  kube::Client& client_;
  mutable std::mutex mutex_;
  std::map<kube::ObjectKey, Written> written_;
};

}  // namespace tracekeeper::controllers
