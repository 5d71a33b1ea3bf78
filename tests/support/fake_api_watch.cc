// How the fake API server streams: watches, and lists cut into pieces.

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "src/codec/json_writer.h"
#include "tests/support/fake_api_core.h"

namespace tracekeeper::test_support {
namespace {

std::int64_t NumberOf(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string EventLine(std::string_view type, std::string_view object) {
  return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, object);
}

constexpr Duration kForever = std::chrono::hours(1000);

net::Response NoWatchListAnswer() {
  return StatusAnswer(422, "Invalid",
                      "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch "
                      "unless the WatchList feature gate is enabled",
                      R"({"causes":[{"reason":"FieldValueForbidden","field":"sendInitialEvents",)"
                      R"("message":"Forbidden: sendInitialEvents is forbidden"}]})");
}

std::string ExpiredEvent() {
  return EventLine("ERROR", StatusAnswer(410, "Expired", "too old resource version").body);
}

std::string BrokenStoreEvent() {
  return EventLine("ERROR", StatusAnswer(500, "InternalError", "etcd went away").body);
}

}  // namespace

Status FakeApiServer::Core::SendPieces(std::string_view bytes, net::StreamSink& sink) {
  std::size_t piece = 0;
  {
    const std::lock_guard lock(mutex);
    piece = drip == 0 ? bytes.size() : drip;
  }
  while (!bytes.empty()) {
    TRY(sink.OnBytes(bytes.substr(0, piece)));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return {};
}

Status FakeApiServer::Core::Deliver(const net::Response& answer, net::StreamSink& sink) {
  TRY(sink.OnHead(answer.status, answer.headers));
  return SendPieces(answer.body, sink);
}

std::string FakeApiServer::Core::Bookmark(const Watch& watch, bool is_initial_end) const {
  codec::JsonWriter json;
  json.BeginObject()
      .Member("kind", watch.resource->kind)
      .Member("apiVersion", watch.resource->ApiVersion())
      .Key("metadata")
      .BeginObject()
      .Member("resourceVersion", std::to_string(watch.version))
      .Key("creationTimestamp")
      .Null();
  if (is_initial_end) {
    json.Key("annotations").Raw(R"({"k8s.io/initial-events-end":"true"})");
  }
  json.EndObject().EndObject();
  return EventLine("BOOKMARK", json.text());
}

Status FakeApiServer::Core::SendInitial(const net::Request& request, const Asked& asked,
                                        Watch& watch, net::StreamSink& sink, bool metadata_only) {
  std::string bytes;
  {
    const std::lock_guard lock(mutex);
    watch.version = store.version();
    for (const auto& [key, object] : store.objects(asked.resource)) {
      const bool is_elsewhere =
          !asked.key.namespace_name.empty() && key.namespace_name != asked.key.namespace_name;
      if (is_elsewhere || !asked.Selects(*object.json)) continue;
      bytes += EventLine("ADDED", Project(*object.json, metadata_only));
    }
    const bool is_watch_list = net::QueryParameter(request.target, "sendInitialEvents") == "true";
    if (is_watch_list && !holds_initial_bookmark) bytes += Bookmark(watch, true);
  }
  return SendPieces(bytes, sink);
}

std::string FakeApiServer::Core::NextBytes(const Asked& asked, Watch& watch, bool metadata_only) {
  if (is_silent) return "";
  if (!watch.extra.empty()) {
    std::string bytes = std::move(watch.extra.front());
    watch.extra.pop_front();
    return bytes;
  }
  // What this watch has not seen yet was compacted away: it must not miss it in silence.
  if (!watch.end && watch.version < store.compacted()) {
    watch.end = WatchEnd::kExpired;
    return "";
  }
  while (const Change* change = store.After(watch.version)) {
    watch.version = change->version;
    const bool is_elsewhere =
        !asked.key.namespace_name.empty() && change->key.namespace_name != asked.key.namespace_name;
    if (change->resource != asked.resource || is_elsewhere) continue;
    // An object that enters or leaves the selection was added or deleted, as this watch sees it.
    const bool was = change->previous != nullptr && asked.Selects(*change->previous);
    const bool is = change->type != kube::WatchEventType::kDeleted && asked.Selects(*change->json);
    if (!was && !is) continue;
    const std::string_view type = !was ? "ADDED" : !is ? "DELETED" : "MODIFIED";
    return EventLine(type, Project(*change->json, metadata_only));
  }
  if (!watch.wants_bookmark) return "";
  watch.wants_bookmark = false;
  return Bookmark(watch, false);
}

Status FakeApiServer::Core::RunWatch(const net::Request& request, const Asked& asked,
                                     net::StreamSink& sink, const net::CallOptions& options,
                                     const StopToken& stop) {
  const std::string_view accept = request.headers.Get("Accept");
  const bool metadata_only = accept.find("as=PartialObjectMetadata;") != std::string::npos;
  const bool is_watch_list = net::QueryParameter(request.target, "sendInitialEvents") == "true";
  if (is_watch_list && !serves_watch_list) return Deliver(NoWatchListAnswer(), sink);
  TRY(sink.OnHead(200, {{"Content-Type", "application/json"}}));
  // As a real server answers a watch that asks for the list's projection: nothing, and the end.
  if (accept.find("as=PartialObjectMetadataList") != std::string::npos) return {};

  Watch watch;
  watch.resource = asked.resource;
  watch.version = NumberOf(asked.resource_version);
  const bool starts_anywhere = asked.resource_version.empty() || asked.resource_version == "0";
  if (starts_anywhere || is_watch_list) {
    TRY(SendInitial(request, asked, watch, sink, metadata_only));
  } else if (IsCompacted(watch.version)) {
    return SendPieces(ExpiredEvent(), sink);
  }
  const std::stop_callback wake(stop, [this] {
    const std::lock_guard lock(mutex);
    changed.notify_all();
  });
  const auto timeout = NumberOf(net::QueryParameter(request.target, "timeoutSeconds"));
  watch.last_bytes = clock.Monotonic();
  watch.deadline =
      watch.last_bytes + (timeout > 0 ? Duration(std::chrono::seconds(timeout)) : kForever);
  std::unique_lock lock(mutex);
  watches.push_back(&watch);
  Status outcome = Follow(asked, watch, metadata_only, sink, options.idle, stop, lock);
  watches.remove(&watch);
  settled.notify_all();
  return outcome;
}

Status FakeApiServer::Core::Follow(const Asked& asked, Watch& watch, bool metadata_only,
                                   net::StreamSink& sink, Duration idle, const StopToken& stop,
                                   std::unique_lock<std::mutex>& lock) {
  while (!stop.stop_requested()) {
    std::string bytes = NextBytes(asked, watch, metadata_only);
    if (bytes.empty() && watch.end) {
      if (*watch.end == WatchEnd::kClean) return {};
      if (*watch.end == WatchEnd::kBroken) {
        return Fail(ErrorKind::kUnavailable, "the connection broke");
      }
      bytes = *watch.end == WatchEnd::kExpired ? ExpiredEvent() : BrokenStoreEvent();
      watch.end = WatchEnd::kClean;
    }
    if (!bytes.empty()) {
      lock.unlock();
      const Status sent = SendPieces(bytes, sink);
      lock.lock();
      if (!sent) return sent;
      watch.last_bytes = clock.Monotonic();
      continue;
    }
    const MonotonicTime now = clock.Monotonic();
    const MonotonicTime dead = watch.last_bytes + idle;
    if (!is_silent && now >= watch.deadline) return {};
    if (now >= dead) return Fail(ErrorKind::kTimeout, "nothing was heard in time");
    watch.is_waiting = true;
    settled.notify_all();
    clock.WaitUntil(changed, lock, is_silent ? dead : std::min(watch.deadline, dead));
    watch.is_waiting = false;
  }
  return Fail(ErrorKind::kCancelled, "stopped");
}

bool FakeApiServer::Core::IsCompacted(std::int64_t version) const {
  const std::lock_guard lock(mutex);
  return version < store.compacted();
}

}  // namespace tracekeeper::test_support
