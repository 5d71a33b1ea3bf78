// DEPENDS: tracekeeper::kube
//
// The bytes of a watch or a list from a server that may send anything. However the network cuts
// them, the same events must come out, and an event that parses whole must lose nothing but its
// managedFields.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/kube/client.h"
#include "src/kube/list_decoder.h"
#include "src/kube/watch_decoder.h"

namespace {

using tracekeeper::Error;
using tracekeeper::Status;

constexpr std::size_t kMaxBytes = 4096;

class WatchText final : public tracekeeper::kube::WatchSink {
 public:
  Status OnEvent(const tracekeeper::kube::WatchEvent& event) override {
    text += tracekeeper::kube::NameOf(event.type);
    text += event.resource_version;
    text += event.error ? "broken" : event.object.ToJson();
    return {};
  }
  std::string text;
};

class ListText final : public tracekeeper::kube::ListSink {
 public:
  void OnRestart() override {}
  Status OnObject(tracekeeper::codec::JsonValue object) override {
    text += object.ToJson();
    return {};
  }
  void OnBrokenObject(const Error& /*error*/) override { text += "broken"; }
  std::string text;
};

template <typename Decoder, typename Sink>
std::string Decode(std::string_view bytes, std::size_t piece) {
  Sink sink;
  Decoder decoder("fuzz", sink, kMaxBytes);
  Status fed;
  while (fed && !bytes.empty()) {
    fed = decoder.Feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  if constexpr (requires { decoder.Finish(); }) {
    if (fed) {
      const auto page = decoder.Finish();
      sink.text += page ? page->continue_token : "no page";
    }
  }
  return sink.text + (fed ? "" : "left");
}

template <typename Decoder, typename Sink>
void CheckCuts(std::string_view bytes) {
  const std::string whole = Decode<Decoder, Sink>(bytes, bytes.size() + 1);
  for (const std::size_t piece : {1, 3, 17}) {
    if (Decode<Decoder, Sink>(bytes, piece) != whole) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckCuts<tracekeeper::kube::WatchDecoder, WatchText>(bytes);
  CheckCuts<tracekeeper::kube::ListDecoder, ListText>(bytes);
  return 0;
}
