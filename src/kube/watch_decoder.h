#pragma once
// WatchDecoder turns the bytes of a watch response into events, whatever cuts the network made.
// Sans-IO: it is fed, and it calls back; it opens nothing and waits for nothing.
//
// Threads:  one thread at a time.
// Failure:  one object that cannot be decoded becomes an event with `error` and, where it could be
//           read, its key: the stream goes on, also past an event over the size cap. Bytes that
//           are no watch stream are kDecode: the stream must be left.
//           An ERROR event (metav1.Status) ends the feed with that Status as its error.
// Limits:   one event takes at most `max_event_bytes`.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/codec/json_value.h"
#include "src/kube/meta.h"

namespace tracekeeper::kube {

enum class WatchEventType { kAdded, kModified, kDeleted, kBookmark };

/// "ADDED", "MODIFIED", "DELETED" or "BOOKMARK".
std::string_view NameOf(WatchEventType type);

/// Valid until the callback returns.
struct WatchEvent {
  WatchEventType type = WatchEventType::kAdded;
  /// The object; missing when `error` is set.
  codec::JsonValue object;
  std::string_view resource_version;
  /// A bookmark that says: all that existed when the watch began has been sent.
  bool initial_events_end = false;
  /// Set: this one object is not usable, and why. `key` then names it, where it could be read.
  std::optional<Error> error;
  std::optional<ObjectKey> key;
};

class WatchSink {
 public:
  virtual ~WatchSink() = default;
  /// An error leaves the watch with that error. Blocking here is back-pressure.
  virtual Status OnEvent(const WatchEvent& event) = 0;
};

class WatchDecoder {
 public:
  static constexpr std::size_t kDefaultMaxEventBytes = 8U << 20U;

  /// `what` names the watch in errors: "watch pods".
  WatchDecoder(std::string what, WatchSink& sink,
               std::size_t max_event_bytes = kDefaultMaxEventBytes);
  ~WatchDecoder();

  /// When the stream ends, half an event is forgotten: the server sends it again on resume.
  Status Feed(std::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tracekeeper::kube
