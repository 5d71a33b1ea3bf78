#include "src/kube/watch_decoder.h"

#include <fmt/core.h>

#include "src/kube/object_framer.h"
#include "src/kube/status_error.h"

namespace tracekeeper::kube {
namespace {

constexpr std::string_view kInitialEventsEnd = "k8s.io/initial-events-end";

std::optional<WatchEventType> TypeOf(std::string_view name) {
  for (const auto type : {WatchEventType::kAdded, WatchEventType::kModified,
                          WatchEventType::kDeleted, WatchEventType::kBookmark}) {
    if (name == NameOf(type)) return type;
  }
  return std::nullopt;
}

}  // namespace

std::string_view NameOf(WatchEventType type) {
  switch (type) {
    case WatchEventType::kAdded:
      return "ADDED";
    case WatchEventType::kModified:
      return "MODIFIED";
    case WatchEventType::kDeleted:
      return "DELETED";
    case WatchEventType::kBookmark:
      return "BOOKMARK";
  }
  return "UNKNOWN";
}

struct WatchDecoder::State final : ObjectFramer::Sink {
  State(std::string what_to_name, WatchSink& watch_sink, std::size_t max_event_bytes)
      : what(std::move(what_to_name)),
        sink(watch_sink),
        framer(ObjectFramer::Shape::kSequence, max_event_bytes, *this) {}

  Status OnFrame(std::string_view json) override {
    const auto parsed = parser.Parse(json);
    if (!parsed) return Broken(Error(parsed.error()).Within(what), std::nullopt);
    const codec::JsonValue object = (*parsed)["object"];
    const std::string_view name = (*parsed)["type"].StringOr("");
    if (name == "ERROR") return Refusal(object);
    const auto type = TypeOf(name);
    if (!type) {
      return Broken({ErrorKind::kDecode,
                     fmt::format("{}: an event of unknown type \"{}\"", what, name.substr(0, 64))},
                    KeyOf(object));
    }
    WatchEvent event;
    event.type = *type;
    event.object = object;
    const codec::JsonValue metadata = object["metadata"];
    event.resource_version = metadata["resourceVersion"].StringOr("");
    if (*type == WatchEventType::kBookmark) {
      event.initial_events_end = metadata["annotations"][kInitialEventsEnd].StringOr("") == "true";
      return sink.OnEvent(event);
    }
    if (!metadata["name"].is_string()) {
      return Broken(
          {ErrorKind::kDecode, fmt::format("{}: an event whose object has no metadata.name", what)},
          std::nullopt);
    }
    return sink.OnEvent(event);
  }

  Status OnOversizeFrame(std::size_t bytes) override {
    return Broken({ErrorKind::kDecode, fmt::format("{}: an event of {} bytes", what, bytes)},
                  std::nullopt);
  }

  /// The stream says that it cannot go on, and why.
  [[nodiscard]] Status Refusal(codec::JsonValue object) const {
    if (const auto status = DecodeStatus(object)) return Fail(ToError(*status, what));
    return Fail(ErrorKind::kUnavailable, "{}: the server ended the watch without a reason", what);
  }

  Status Broken(Error error, std::optional<ObjectKey> key) {
    WatchEvent event;
    event.type = WatchEventType::kModified;
    event.error = std::move(error);
    event.key = std::move(key);
    return sink.OnEvent(event);
  }

  static std::optional<ObjectKey> KeyOf(codec::JsonValue object) {
    const auto key = DecodeKey(object);
    if (!key) return std::nullopt;
    return *key;
  }

  std::string what;
  WatchSink& sink;
  codec::JsonParser parser;
  ObjectFramer framer;
};

WatchDecoder::WatchDecoder(std::string what, WatchSink& sink, std::size_t max_event_bytes)
    : state_(std::make_unique<State>(std::move(what), sink, max_event_bytes)) {}
WatchDecoder::~WatchDecoder() = default;

Status WatchDecoder::Feed(std::string_view bytes) { return state_->framer.Feed(bytes); }

}  // namespace tracekeeper::kube
