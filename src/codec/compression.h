#pragma once
// Compression of HTTP bodies and gRPC messages: gzip (also of several members), "deflate" (which
// HTTP means as zlib's format) and zstd.
//
// Both classes keep their contexts and their buffer, so that the same work done again allocates
// nothing; both make each only when it is first needed, so that an idle program pays for none, and
// give all of it back on Release().
//
// Threads:  one thread at a time; make one for each thread.
// Owner:    whoever receives or sends. Views returned are into the object (or, for kIdentity, into
//           the input) and die with the next call.
// Failure:  kDecode for damaged bytes, bytes cut off, bytes behind the end; kInvalid when the
//           output would be longer than `limit`. Memory is taken as output really appears, or as
//           announced where the input's size makes the announcement possible, and never above the
//           limit; zstd frames that demand a window above 8 MiB are refused.
// Source:   RFC 1952, 1950, 8878; libdeflate where a gzip body has one member of announced size
//           (2.3 times zlib's speed), zlib for all else; ISA-L writes gzip.

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::codec {

enum class Compression { kIdentity, kGzip, kDeflate, kZstd };

/// The name used in Content-Encoding and grpc-encoding: "gzip".
[[nodiscard]] std::string_view NameOf(Compression compression);

/// The compression of that name, without case; "" is kIdentity, "x-gzip" kGzip.
[[nodiscard]] std::optional<Compression> CompressionNamed(std::string_view name);

class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  Result<std::string_view> Decompress(Compression compression, std::string_view bytes,
                                      std::size_t limit);
  void Release();
  /// Releases if more than `kept` bytes are held: after a request of unusual size.
  void Trim(std::size_t kept);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Compressor {
 public:
  struct Options {
    /// As its library counts. A low one: a relay's CPU time is its application's. gzip has the
    /// level whose output is as short as zlib's first, at six times its speed.
    int zstd_level = 1;
  };

  Compressor() : Compressor(Options{}) {}
  explicit Compressor(Options options);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  /// kDeflate is kInternal: nobody should send it.
  Result<std::string_view> Compress(Compression compression, std::string_view bytes);
  void Release();

 private:
  struct State;
  const Options options_;
  std::unique_ptr<State> state_;
};

}  // namespace tracekeeper::codec
