// DEPENDS: tracekeeper::net
//
// What a server answers, in whatever pieces: the first byte says how large they are.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "src/net/response_reader.h"

namespace {

using namespace tracekeeper::net;  // NOLINT(google-build-using-namespace): one small program

class Sink final : public StreamSink {
 public:
  tracekeeper::Status OnHead(int status, const Headers&) override {
    if (heads++ > 0 || status / 100 == 1) std::abort();
    return {};
  }
  tracekeeper::Status OnBytes(std::string_view bytes) override {
    if (heads != 1 || bytes.empty()) std::abort();
    body.append(bytes);
    return {};
  }
  int heads = 0;
  std::string body;
};

/// The body, and whether the response was complete.
std::pair<std::string, bool> Read(std::string_view bytes, std::size_t piece) {
  Sink sink;
  ResponseReader reader(sink, ResponseReader::BodyRule::kAsFramed);
  while (!bytes.empty()) {
    const auto space = reader.Space();
    if (space.empty()) std::abort();
    const std::size_t size = std::min({piece, bytes.size(), space.size()});
    std::memcpy(space.data(), bytes.data(), size);
    bytes.remove_prefix(size);
    const auto progress = reader.Commit(size);
    if (!progress) return {sink.body, false};
    if (*progress == ResponseReader::Progress::kComplete) return {sink.body, true};
  }
  const auto ended = reader.CommitEnd();
  return {sink.body, ended.has_value()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = Read(bytes, bytes.size() + 1);
  const auto cut = Read(bytes, data[0] % 64 + 1);
  // A damaged stream may be noticed earlier in one cut than in the other; a good one may not
  // differ.
  if (whole.second != cut.second || (whole.second && whole.first != cut.first)) std::abort();
  return 0;
}
