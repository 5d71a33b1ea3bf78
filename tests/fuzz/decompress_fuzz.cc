// DEPENDS: tracekeeper::codec
//
// A compressed body of a peer, the first byte says with what: the output never passes the limit,
// and is the same whether the contexts are new or were used before, and for whatever limit it fits.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/codec/compression.h"

namespace {

using namespace tracekeeper::codec;

constexpr std::size_t kLimit = 64U << 10U;

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr Compression kAll[] = {Compression::kGzip, Compression::kDeflate, Compression::kZstd};
  const Compression compression = kAll[data[0] % 3];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);

  static Decompressor used;
  Decompressor fresh;
  const auto first = used.Decompress(compression, bytes, kLimit);
  const auto second = fresh.Decompress(compression, bytes, kLimit);
  Require(first.has_value() == second.has_value());
  if (!first) {
    Require(!first.error().message.empty());
    return 0;
  }
  Require(first->size() <= kLimit && *first == *second);
  const std::size_t length = first->size();
  Require(fresh.Decompress(compression, bytes, length).has_value());
  if (length > 0) Require(!fresh.Decompress(compression, bytes, length - 1).has_value());
  return 0;
}
