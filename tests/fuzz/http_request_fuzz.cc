// DEPENDS: tracekeeper::net
//
// What a peer sends to the server, in whatever pieces: the first byte says how large they are. A
// request that is accepted must be the same however it was cut, and no larger than the limits.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "src/net/request_reader.h"

namespace {

using tracekeeper::net::Request;
using tracekeeper::net::RequestReader;

constexpr std::size_t kHeaderLimit = 1024;
constexpr std::size_t kBodyLimit = 4096;

void Require(bool holds) {
  if (!holds) std::abort();
}

/// All requests that `bytes` hold, up to the first refusal. Bodies that come later than their
/// header are put where something else stood, as the server does it.
std::vector<Request> ReadAll(std::string_view bytes, std::size_t piece) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  bool has_memory = false;
  std::vector<Request> requests;
  while (!bytes.empty()) {
    const auto space = reader.Space();
    Require(!space.empty());
    const std::size_t size = std::min({piece, bytes.size(), space.size()});
    std::memcpy(space.data(), bytes.data(), size);
    bytes.remove_prefix(size);
    auto progress = reader.Commit(size);
    while (progress == RequestReader::Progress::kComplete) {
      requests.push_back(reader.Take());
      has_memory = false;
      Require(requests.back().body.size() <= kBodyLimit);
      progress = reader.Resume();
    }
    if (progress == RequestReader::Progress::kRefused) {
      Require(reader.refusal().status >= 400 && !reader.refusal().reason.empty());
      break;
    }
    if (reader.header_done() && !has_memory) {
      reader.UseForBody(std::string(kBodyLimit / 2, '#'));
      has_memory = true;
    }
  }
  return requests;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<Request> whole = ReadAll(bytes, bytes.size() + 1);
  const std::vector<Request> cut = ReadAll(bytes, data[0] % 64 + 1);
  Require(whole.size() == cut.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Require(whole[i].method == cut[i].method && whole[i].target == cut[i].target &&
            whole[i].body == cut[i].body && whole[i].headers.size() == cut[i].headers.size());
  }
  return 0;
}
