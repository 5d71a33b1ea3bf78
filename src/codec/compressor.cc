#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "src/codec/compression.h"
#include "src/codec/output_buffer.h"

namespace tracekeeper::codec {

namespace {

struct Name {
  std::string_view text;
  Compression compression;
};

/// The first of each is the one that we write.
constexpr std::array kNames = {
    Name{"identity", Compression::kIdentity}, Name{"gzip", Compression::kGzip},
    Name{"deflate", Compression::kDeflate},   Name{"zstd", Compression::kZstd},
    Name{"", Compression::kIdentity},         Name{"x-gzip", Compression::kGzip},
};

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

struct FreeDeflate {
  void operator()(libdeflate_compressor* context) const { libdeflate_free_compressor(context); }
};
struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

std::string_view NameOf(Compression compression) {
  for (const Name& name : kNames) {
    if (name.compression == compression) return name.text;
  }
  return "unknown";
}

std::optional<Compression> CompressionNamed(std::string_view text) {
  for (const Name& name : kNames) {
    if (SameName(name.text, text)) return name.compression;
  }
  return std::nullopt;
}

struct Compressor::State {
  OutputBuffer out;
  std::unique_ptr<libdeflate_compressor, FreeDeflate> gzip;
  std::unique_ptr<ZSTD_CCtx, FreeZstd> zstd;

  Result<std::string_view> Gzip(std::string_view bytes, int level) {
    if (!gzip) gzip.reset(libdeflate_alloc_compressor(level));
    if (!gzip) return Fail(ErrorKind::kInternal, "gzip: no memory, or no level {}", level);
    out.Reset(libdeflate_gzip_compress_bound(gzip.get(), bytes.size()));
    const std::size_t size = libdeflate_gzip_compress(gzip.get(), bytes.data(), bytes.size(),
                                                      out.free(), out.free_size());
    if (size == 0) return Fail(ErrorKind::kInternal, "gzip: the output is longer than its bound");
    out.Commit(size);
    return out.view();
  }

  Result<std::string_view> Zstd(std::string_view bytes, int level) {
    if (!zstd) {
      zstd.reset(ZSTD_createCCtx());
      if (!zstd) return Fail(ErrorKind::kInternal, "zstd: no memory");
      ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_compressionLevel, level);
    }
    out.Reset(ZSTD_compressBound(bytes.size()));
    const std::size_t size =
        ZSTD_compress2(zstd.get(), out.free(), out.free_size(), bytes.data(), bytes.size());
    if (ZSTD_isError(size) != 0U) {
      return Fail(ErrorKind::kInternal, "zstd: {}", ZSTD_getErrorName(size));
    }
    out.Commit(size);
    return out.view();
  }
};

Compressor::Compressor(Options options) : options_(options), state_(std::make_unique<State>()) {}

Compressor::~Compressor() = default;

void Compressor::Release() { *state_ = {}; }

Result<std::string_view> Compressor::Compress(Compression compression, std::string_view bytes) {
  switch (compression) {
    case Compression::kIdentity:
      return bytes;
    case Compression::kGzip:
      return state_->Gzip(bytes, options_.gzip_level);
    case Compression::kZstd:
      return state_->Zstd(bytes, options_.zstd_level);
    case Compression::kDeflate:
      break;
  }
  return Fail(ErrorKind::kInternal, "\"deflate\" is read, but never written");
}

}  // namespace tracekeeper::codec
