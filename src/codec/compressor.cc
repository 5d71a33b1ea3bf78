#include <isa-l/igzip_lib.h>
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

/// What ISA-L works in: some 80 KiB of its own, and the memory of its match finder.
struct GzipContext {
  isal_zstream stream;
  std::array<std::uint8_t, ISAL_DEF_LVL2_DEFAULT> matches;
};

/// gzip's head and tail, and stored blocks for bytes that do not get shorter.
constexpr std::size_t GzipBound(std::size_t size) { return size + size / 1000 + 1024; }
/// What its 32-bit counters can hold with room to spare.
constexpr std::size_t kMostForGzip = std::size_t{1} << 30U;

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
  std::unique_ptr<GzipContext> gzip;
  std::unique_ptr<ZSTD_CCtx, FreeZstd> zstd;

  Result<std::string_view> Gzip(std::string_view bytes) {
    if (bytes.size() > kMostForGzip) {
      return Fail(ErrorKind::kInvalid, "gzip: {} bytes are more than {}", bytes.size(),
                  kMostForGzip);
    }
    // Not cleared: the library clears what it reads.
    if (!gzip) gzip = std::make_unique_for_overwrite<GzipContext>();
    out.Reset(GzipBound(bytes.size()));
    isal_zstream& stream = gzip->stream;
    isal_deflate_init(&stream);
    stream.gzip_flag = IGZIP_GZIP;
    stream.end_of_stream = 1;
    stream.flush = NO_FLUSH;
    stream.level = 2;
    stream.level_buf = gzip->matches.data();
    stream.level_buf_size = static_cast<std::uint32_t>(gzip->matches.size());
    // It reads through a pointer that it did not make const.
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<std::uint32_t>(bytes.size());
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.free());
    stream.avail_out = static_cast<std::uint32_t>(out.free_size());
    if (const int code = isal_deflate_stateless(&stream); code != COMP_OK) {
      return Fail(ErrorKind::kInternal, "gzip: the library refused with code {}", code);
    }
    out.Commit(stream.total_out);
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
      return state_->Gzip(bytes);
    case Compression::kZstd:
      return state_->Zstd(bytes, options_.zstd_level);
    case Compression::kDeflate:
      break;
  }
  return Fail(ErrorKind::kInternal, "\"deflate\" is read, but never written");
}

}  // namespace tracekeeper::codec
