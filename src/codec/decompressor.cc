#include <libdeflate.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "src/codec/compression.h"
#include "src/codec/output_buffer.h"

namespace tracekeeper::codec {

namespace {

// What one byte can become at most (zlib's and zstd's technical limits). An announced size beyond
// that is a lie, and no memory is taken for it.
constexpr std::size_t kMostPerDeflateByte = 1032;
constexpr std::size_t kMostPerZstdByte = 128U << 10U;
// Larger bodies are worth no one-shot buffer.
constexpr std::size_t kTrustedSize = 16U << 20U;
constexpr std::size_t kFirstBuffer = 16U << 10U;
constexpr std::size_t kShortestGzip = 18;
constexpr int kZstdWindowLog = 23;  // RFC 9659: what a receiver over HTTP has to offer
// zlib counts in 32 bits.
constexpr std::size_t kZlibStep = 1U << 30U;

struct FreeDeflate {
  void operator()(libdeflate_decompressor* context) const { libdeflate_free_decompressor(context); }
};
struct FreeZlib {
  void operator()(z_stream* stream) const {
    inflateEnd(stream);
    delete stream;
  }
};
struct FreeZstd {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

enum class ZlibFormat { kZlib = 15, kGzip = 15 + 16 };  // values: zlib's window bits

auto TooLong(Compression compression, std::size_t limit) {
  return Fail(ErrorKind::kInvalid, "{}: the content is longer than the {} bytes allowed",
              NameOf(compression), limit);
}

auto Damaged(Compression compression, std::string_view why) {
  return Fail(ErrorKind::kDecode, "{}: {}", NameOf(compression), why);
}

/// The size of the last member, as the last four bytes of a gzip body tell it.
std::size_t AnnouncedGzipSize(std::string_view bytes) {
  std::uint32_t size = 0;
  std::memcpy(&size, bytes.data() + bytes.size() - sizeof size, sizeof size);
  return size;
}

/// What a frame says of its length. The library looks after that only where it has room for all of
/// it, and what is taken must not depend on how much room there is.
struct ZstdFrame {
  std::size_t begin = 0;  // in the content
  std::optional<unsigned long long> size;

  static ZstdFrame At(std::string_view bytes, std::size_t begin) {
    const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) return {begin, {}};
    return {begin, size};
  }
  [[nodiscard]] bool MayEndAt(std::size_t end) const { return !size || end - begin == *size; }
};

}  // namespace

struct Decompressor::State {
  OutputBuffer out;
  std::unique_ptr<libdeflate_decompressor, FreeDeflate> deflate;
  std::unique_ptr<z_stream, FreeZlib> zlib;
  std::unique_ptr<ZSTD_DCtx, FreeZstd> zstd;

  Result<std::string_view> Gunzip(std::string_view bytes, std::size_t limit);
  [[nodiscard]] bool GunzipAtOnce(std::string_view bytes, std::size_t size);
  Result<std::string_view> Inflate(ZlibFormat format, std::string_view bytes, std::size_t limit);
  [[nodiscard]] bool BeginInflate(ZlibFormat format);
  Result<std::string_view> Unzstd(std::string_view bytes, std::size_t limit);
  Result<std::string_view> UnzstdFrame(std::string_view bytes, std::size_t size);
  Result<std::string_view> UnzstdStream(std::string_view bytes, std::size_t limit);
  [[nodiscard]] bool MakeRoom(std::size_t limit);
};

/// Room for at least one more byte; false when the content is longer than `limit` already. One byte
/// beyond the limit is room too: only by filling it shows the content that it is longer.
bool Decompressor::State::MakeRoom(std::size_t limit) {
  if (out.size() > limit) return false;
  if (out.free_size() == 0) out.Grow(limit + 1);
  return true;
}

Result<std::string_view> Decompressor::State::Gunzip(std::string_view bytes, std::size_t limit) {
  if (bytes.size() >= kShortestGzip) {
    const std::size_t size = AnnouncedGzipSize(bytes);
    const bool possible = size / kMostPerDeflateByte <= bytes.size();
    if (size != 0 && size <= std::min(limit, kTrustedSize) && possible &&
        GunzipAtOnce(bytes, size)) {
      return out.view();
    }
  }
  return Inflate(ZlibFormat::kGzip, bytes, limit);
}

/// False when the body has several members or is damaged: zlib then finds out.
bool Decompressor::State::GunzipAtOnce(std::string_view bytes, std::size_t size) {
  if (!deflate) deflate.reset(libdeflate_alloc_decompressor());
  if (!deflate) return false;
  out.Reset(size);
  std::size_t read = 0;
  std::size_t written = 0;
  const libdeflate_result result = libdeflate_gzip_decompress_ex(
      deflate.get(), bytes.data(), bytes.size(), out.free(), size, &read, &written);
  if (result != LIBDEFLATE_SUCCESS || read != bytes.size()) return false;
  out.Commit(written);
  return true;
}

bool Decompressor::State::BeginInflate(ZlibFormat format) {
  const int window_bits = static_cast<int>(format);
  if (zlib) return inflateReset2(zlib.get(), window_bits) == Z_OK;
  auto fresh = std::make_unique<z_stream>();
  if (inflateInit2(fresh.get(), window_bits) != Z_OK) return false;
  zlib.reset(fresh.release());
  return true;
}

Result<std::string_view> Decompressor::State::Inflate(ZlibFormat format, std::string_view bytes,
                                                      std::size_t limit) {
  const Compression name = format == ZlibFormat::kGzip ? Compression::kGzip : Compression::kDeflate;
  if (!BeginInflate(format)) return Fail(ErrorKind::kInternal, "{}: no memory", NameOf(name));
  out.Reset(std::min(limit + 1, kFirstBuffer));
  for (;;) {
    if (!MakeRoom(limit)) return TooLong(name, limit);
    const auto in_step = static_cast<uInt>(std::min(bytes.size(), kZlibStep));
    const auto out_step = static_cast<uInt>(std::min(out.free_size(), kZlibStep));
    // zlib's type is not const, but it does not write there.
    zlib->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    zlib->avail_in = in_step;
    zlib->next_out = reinterpret_cast<Bytef*>(out.free());
    zlib->avail_out = out_step;
    const int code = inflate(zlib.get(), Z_NO_FLUSH);
    bytes.remove_prefix(in_step - zlib->avail_in);
    out.Commit(out_step - zlib->avail_out);

    if (code == Z_STREAM_END) {
      if (bytes.empty()) break;
      if (format != ZlibFormat::kGzip) return Damaged(name, "bytes follow the end");
      inflateReset(zlib.get());  // the next member
    } else if (code == Z_OK || code == Z_BUF_ERROR) {
      if (bytes.empty() && zlib->avail_out != 0) return Damaged(name, "the end is cut off");
    } else {
      return Damaged(name, zlib->msg != nullptr ? zlib->msg : "the bytes are damaged");
    }
  }
  if (out.size() > limit) return TooLong(name, limit);
  return out.view();
}

Result<std::string_view> Decompressor::State::Unzstd(std::string_view bytes, std::size_t limit) {
  if (!zstd) {
    zstd.reset(ZSTD_createDCtx());
    if (!zstd) return Fail(ErrorKind::kInternal, "zstd: no memory");
    ZSTD_DCtx_setParameter(zstd.get(), ZSTD_d_windowLogMax, kZstdWindowLog);
  }
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  const bool is_known = size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR;
  if (is_known && size > limit) return TooLong(Compression::kZstd, limit);
  if (is_known && size <= kTrustedSize && size / kMostPerZstdByte <= bytes.size() &&
      ZSTD_findFrameCompressedSize(bytes.data(), bytes.size()) == bytes.size()) {
    return UnzstdFrame(bytes, static_cast<std::size_t>(size));
  }
  return UnzstdStream(bytes, limit);
}

/// One frame of known size: straight into the buffer, without a window.
Result<std::string_view> Decompressor::State::UnzstdFrame(std::string_view bytes,
                                                          std::size_t size) {
  out.Reset(size);
  const std::size_t written =
      ZSTD_decompressDCtx(zstd.get(), out.free(), size, bytes.data(), bytes.size());
  if (ZSTD_isError(written) != 0U) return Damaged(Compression::kZstd, ZSTD_getErrorName(written));
  out.Commit(written);
  return out.view();
}

Result<std::string_view> Decompressor::State::UnzstdStream(std::string_view bytes,
                                                           std::size_t limit) {
  ZSTD_DCtx_reset(zstd.get(), ZSTD_reset_session_only);
  out.Reset(std::min(limit + 1, kFirstBuffer));
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  ZstdFrame frame = ZstdFrame::At(bytes, 0);
  for (;;) {
    if (!MakeRoom(limit)) return TooLong(Compression::kZstd, limit);
    ZSTD_outBuffer step{out.free(), out.free_size(), 0};
    const std::size_t left = ZSTD_decompressStream(zstd.get(), &step, &in);
    if (ZSTD_isError(left) != 0U) return Damaged(Compression::kZstd, ZSTD_getErrorName(left));
    out.Commit(step.pos);
    const bool all_read = in.pos == in.size;
    if (left == 0) {
      if (!frame.MayEndAt(out.size())) {
        return Damaged(Compression::kZstd, "a frame is not as long as it says");
      }
      if (all_read) break;
      frame = ZstdFrame::At(bytes.substr(in.pos), out.size());
    }
    if (all_read && step.pos < step.size) {
      return Damaged(Compression::kZstd, "the end is cut off");
    }
  }
  if (out.size() > limit) return TooLong(Compression::kZstd, limit);
  return out.view();
}

Decompressor::Decompressor() : state_(std::make_unique<State>()) {}

Decompressor::~Decompressor() = default;

void Decompressor::Release() { *state_ = {}; }

void Decompressor::Trim(std::size_t kept) {
  // A context of zstd has the window of the last stream; those of the others are small.
  const std::size_t window = state_->zstd ? ZSTD_sizeof_DCtx(state_->zstd.get()) : 0;
  if (state_->out.capacity() + window > kept) Release();
}

Result<std::string_view> Decompressor::Decompress(Compression compression, std::string_view bytes,
                                                  std::size_t limit) {
  limit = std::min(limit, std::numeric_limits<std::size_t>::max() / 4);  // room for one more byte
  switch (compression) {
    case Compression::kIdentity:
      if (bytes.size() > limit) return TooLong(compression, limit);
      return bytes;
    case Compression::kGzip:
      return state_->Gunzip(bytes, limit);
    case Compression::kDeflate:
      return state_->Inflate(ZlibFormat::kZlib, bytes, limit);
    case Compression::kZstd:
      return state_->Unzstd(bytes, limit);
  }
  return Fail(ErrorKind::kInternal, "a compression without a name");
}

}  // namespace tracekeeper::codec
