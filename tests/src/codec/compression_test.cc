#include "src/codec/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <functional>
#include <random>
#include <stdexcept>
#include <string>

namespace tracekeeper::codec {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kLimit = 1U << 20U;

/// What zlib itself makes of `text`: 31 window bits are gzip, 15 zlib's own format.
std::string ByZlib(std::string_view text, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("deflate");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
std::string Gzip(std::string_view text) { return ByZlib(text, 31); }
std::string Zlib(std::string_view text) { return ByZlib(text, 15); }

struct ZstdFrame {
  bool tells_size = true;
  int window_log = 0;  // 0: as the level has it
};
std::string Zstd(std::string_view text, ZstdFrame frame = {}) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, frame.tells_size ? 1 : 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, frame.window_log);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  // A stream whose end is told later cannot know its size in the header.
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer written{out.data(), out.size(), 0};
  if (!frame.tells_size) ZSTD_compressStream2(context, &written, &in, ZSTD_e_continue);
  if (ZSTD_compressStream2(context, &written, &in, ZSTD_e_end) != 0) {
    throw std::runtime_error("zstd");
  }
  ZSTD_freeCCtx(context);
  out.resize(written.pos);
  return out;
}

std::string Repeated(std::string_view text, std::size_t size) {
  std::string repeated;
  while (repeated.size() < size) repeated += text;
  repeated.resize(size);
  return repeated;
}

/// RFC 8878, 3.1.1: one segment, a size of two bytes less 256, and a last block of nothing.
std::string EmptyFrameThatAnnounces(unsigned size) {
  const auto byte = [](unsigned value) { return static_cast<char>(value & 0xFFU); };
  return std::string("\x28\xb5\x2f\xfd\x60") + byte(size - 256) + byte((size - 256) >> 8U) +
         std::string("\x01\x00\x00", 3);
}

struct ReadCase {
  std::string name;
  Compression compression;
  std::string bytes;
  std::string want;  // the content, or "error: " and what its sentence holds
};

std::vector<ReadCase> ReadCases() {
  using enum Compression;
  const std::string large = Repeated("span ", 300'000);
  const std::string zeros(kLimit, '\0');
  const std::string too_long(kLimit + 1, '\0');
  const std::string gzip = Gzip("hello");
  std::string liar = gzip;
  liar[liar.size() - 4] = 4;  // announces one byte less than there are
  std::string greedy = gzip;
  greedy[greedy.size() - 2] = 15;  // announces 983,045 bytes
  std::string wrong_checksum = gzip;
  wrong_checksum[wrong_checksum.size() - 8] ^= 1;
  return {
      {"identity", kIdentity, "as it is", "as it is"},
      {"identityAtTheLimit", kIdentity, zeros, zeros},
      {"identityTooLong", kIdentity, too_long, "error: longer than the 1048576 bytes"},
      {"gzip", kGzip, gzip, "hello"},
      {"gzipOfNothing", kGzip, Gzip(""), ""},
      {"gzipLarge", kGzip, Gzip(large), large},
      {"gzipMembers", kGzip, Gzip("one, ") + Gzip("") + Gzip("two"), "one, two"},
      {"gzipMemberThenEmpty", kGzip, Gzip("one") + Gzip(""), "one"},
      {"gzipMembersGrowing", kGzip, Gzip("x") + Gzip(large), "x" + large},
      {"gzipAtTheLimit", kGzip, Gzip(zeros), zeros},
      {"gzipTooLong", kGzip, Gzip(too_long), "error: longer than the 1048576 bytes"},
      {"gzipMembersTooLong", kGzip, Gzip(zeros) + Gzip("x"), "error: longer than"},
      {"gzipCutOff", kGzip, gzip.substr(0, gzip.size() - 1), "error: cut off"},
      {"gzipEmpty", kGzip, "", "error: cut off"},
      {"gzipIsNot", kGzip, "{\"resourceSpans\":[]}", "error: incorrect header check"},
      {"gzipStrayByte", kGzip, gzip + "x", "error: gzip: "},
      {"gzipWrongChecksum", kGzip, wrong_checksum, "error: incorrect data check"},
      {"gzipAnnouncesLess", kGzip, liar, "error: incorrect length check"},
      {"gzipAnnouncesMore", kGzip, greedy, "error: incorrect length check"},
      {"deflate", kDeflate, Zlib(large), large},
      {"deflateTooLong", kDeflate, Zlib(too_long), "error: longer than"},
      {"deflateStrayByte", kDeflate, Zlib("a") + "x", "error: bytes follow the end"},
      {"deflateRaw", kDeflate, ByZlib("raw", -15), "error: deflate: "},
      {"zstd", kZstd, Zstd("hello"), "hello"},
      {"zstdOfNothing", kZstd, Zstd(""), ""},
      {"zstdLarge", kZstd, Zstd(large), large},
      {"zstdUntoldSize", kZstd, Zstd(large, {.tells_size = false}), large},
      {"zstdFrames", kZstd, Zstd("one, ") + Zstd("two", {.tells_size = false}), "one, two"},
      {"zstdAtTheLimit", kZstd, Zstd(zeros), zeros},
      {"zstdTooLong", kZstd, Zstd(too_long), "error: longer than"},
      {"zstdUntoldTooLong", kZstd, Zstd(too_long, {.tells_size = false}), "error: longer than"},
      {"zstdFramesTooLong", kZstd, Zstd(zeros) + Zstd("x"), "error: longer than"},
      {"zstdCutOff", kZstd, Zstd(large).substr(0, 20), "error: zstd: "},
      {"zstdUntoldCutOff", kZstd, Zstd(large, {.tells_size = false}).substr(0, 20),
       "error: cut off"},
      {"zstdEmpty", kZstd, "", "error: cut off"},
      {"zstdIsNot", kZstd, "hello, this is text", "error: Unknown frame descriptor"},
      {"zstdFrameAnnouncesMore", kZstd, Zstd("one") + EmptyFrameThatAnnounces(51'968),
       "error: not as long as it says"},
      {"zstdWindowTooLarge", kZstd, Zstd(large, {.tells_size = false, .window_log = 27}),
       "error: Frame requires too much memory"},
  };
}

class Decompresses : public testing::TestWithParam<ReadCase> {};

TEST_P(Decompresses, OrSaysWhatIsWrong) {
  Decompressor decompressor;
  const auto result = decompressor.Decompress(GetParam().compression, GetParam().bytes, kLimit);
  if (GetParam().want.starts_with("error: ")) {
    ASSERT_FALSE(result) << "gave " << result->size() << " bytes";
    EXPECT_THAT(result.error().message, HasSubstr(GetParam().want.substr(7)));
    EXPECT_THAT(result.error().message, StartsWith(NameOf(GetParam().compression)));
    const bool is_about_length = GetParam().want.find("longer than") != std::string::npos;
    EXPECT_EQ(result.error().kind, is_about_length ? ErrorKind::kInvalid : ErrorKind::kDecode);
    return;
  }
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(*result == GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(Bodies, Decompresses, testing::ValuesIn(ReadCases()),
                         [](const auto& tested) { return tested.param.name; });

/// Text that compresses like telemetry does, or not at all.
std::string RandomContent(std::mt19937& random) {
  std::string text(random() % 5'000, '\0');
  const unsigned alphabet = 1 + random() % 256;
  for (char& c : text) c = static_cast<char>(random() % alphabet);
  return random() % 4 == 0 ? Repeated(text + "x", 100'000) : text;
}

class Compresses : public testing::TestWithParam<Compression> {};

TEST_P(Compresses, WhatCanBeReadAgainWithTheSameContexts) {
  std::mt19937 random(7);
  Compressor compressor;
  Decompressor decompressor;
  for (int round = 0; round < 300; ++round) {
    const std::string content = RandomContent(random);
    const auto small = compressor.Compress(GetParam(), content);
    ASSERT_TRUE(small) << small.error().message;
    const auto again = decompressor.Decompress(GetParam(), *small, content.size());
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_TRUE(*again == content) << "round " << round;
    if (round % 50 == 0) {
      compressor.Release();
      decompressor.Release();
    }
  }
}

TEST_P(Compresses, IntoTheSameMemoryEachTime) {
  Compressor compressor;
  Decompressor decompressor;
  const std::string content = Repeated("the same batch again ", 50'000);
  const auto first = compressor.Compress(GetParam(), content);
  const char* const compressed_at = first->data();
  const char* const content_at = decompressor.Decompress(GetParam(), *first, kLimit)->data();
  const auto second = compressor.Compress(GetParam(), content);
  EXPECT_EQ(second->data(), compressed_at);
  EXPECT_EQ(decompressor.Decompress(GetParam(), *second, kLimit)->data(), content_at);
}

TEST_P(Compresses, KeepingOnlyWhatIsSmall) {
  Compressor compressor;
  Decompressor decompressor;
  const std::string content = Repeated("the same batch again ", 50'000);
  const auto small = compressor.Compress(GetParam(), content);
  const char* const content_at = decompressor.Decompress(GetParam(), *small, kLimit)->data();
  decompressor.Trim(16U << 20U);
  EXPECT_EQ(decompressor.Decompress(GetParam(), *small, kLimit)->data(), content_at);
  decompressor.Trim(content.size() - 1);
  const auto again = decompressor.Decompress(GetParam(), *small, kLimit);
  ASSERT_TRUE(again);
  EXPECT_TRUE(*again == content);
}

TEST_P(Compresses, AndEveryCutIsNoticed) {
  Compressor compressor;
  Decompressor decompressor;
  const std::string whole(*compressor.Compress(GetParam(), "a small message, cut everywhere"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto result = decompressor.Decompress(GetParam(), whole.substr(0, size), kLimit);
    ASSERT_FALSE(result) << "cut after " << size << " bytes";
    EXPECT_EQ(result.error().kind, ErrorKind::kDecode);
  }
}

INSTANTIATE_TEST_SUITE_P(Both, Compresses, testing::Values(Compression::kGzip, Compression::kZstd),
                         [](const auto& tested) { return std::string(NameOf(tested.param)); });

TEST(Compression, IsFoundByItsNameWithoutCase) {
  EXPECT_EQ(CompressionNamed("GZip"), Compression::kGzip);
  EXPECT_EQ(CompressionNamed("x-gzip"), Compression::kGzip);
  EXPECT_EQ(CompressionNamed("zstd"), Compression::kZstd);
  EXPECT_EQ(CompressionNamed("deflate"), Compression::kDeflate);
  EXPECT_EQ(CompressionNamed(""), Compression::kIdentity);
  EXPECT_EQ(CompressionNamed("br"), std::nullopt);
}

TEST(Compression, NeverWritesDeflate) {
  EXPECT_EQ(Compressor().Compress(Compression::kDeflate, "x").error().kind, ErrorKind::kInternal);
}

}  // namespace
}  // namespace tracekeeper::codec
