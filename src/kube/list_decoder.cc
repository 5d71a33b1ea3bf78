#include "src/kube/list_decoder.h"

#include <fmt/core.h>

#include "src/kube/client.h"
#include "src/kube/object_framer.h"
#include "src/kube/status_error.h"

namespace tracekeeper::kube {

struct ListDecoder::State final : ObjectFramer::Sink {
  State(std::string what_to_name, ListSink& list_sink, std::size_t max_object_bytes)
      : what(std::move(what_to_name)),
        sink(list_sink),
        framer(ObjectFramer::Shape::kItems, max_object_bytes, *this) {}

  Status OnFrame(std::string_view json) override {
    ++page.objects;
    const auto object = parser.Parse(json);
    if (!object) {
      sink.OnBrokenObject(Error(object.error()).Within(what));
      return {};
    }
    if (!(*object)["metadata"]["name"].is_string()) {
      sink.OnBrokenObject(
          {ErrorKind::kDecode, fmt::format("{}: an object without metadata.name", what)});
      return {};
    }
    return sink.OnObject(*object);
  }

  Status OnOversizeFrame(std::size_t bytes) override {
    ++page.objects;
    sink.OnBrokenObject(
        {ErrorKind::kDecode, fmt::format("{}: an object of {} bytes", what, bytes)});
    return {};
  }

  std::string what;
  ListSink& sink;
  codec::JsonParser parser;
  ListPage page;
  ObjectFramer framer;
};

ListDecoder::ListDecoder(std::string what, ListSink& sink, std::size_t max_object_bytes)
    : state_(std::make_unique<State>(std::move(what), sink, max_object_bytes)) {}
ListDecoder::~ListDecoder() = default;

Status ListDecoder::Feed(std::string_view bytes) { return state_->framer.Feed(bytes); }

Result<ListPage> ListDecoder::Finish() {
  TRY(state_->framer.Finish());
  const codec::JsonValue list = TRY(state_->parser.Parse(state_->framer.envelope()));
  if (const auto status = DecodeStatus(list)) return Fail(ToError(*status, state_->what));
  const std::string_view kind = list["kind"].StringOr("");
  if (!kind.ends_with("List")) {
    return Fail(ErrorKind::kDecode, "{}: the server answered with kind \"{}\", which is no list",
                state_->what, kind.substr(0, 64));
  }
  const codec::JsonValue metadata = list["metadata"];
  state_->page.resource_version = metadata["resourceVersion"].StringOr("");
  state_->page.continue_token = metadata["continue"].StringOr("");
  return std::move(state_->page);
}

}  // namespace tracekeeper::kube
