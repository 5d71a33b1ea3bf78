// RequestReader: which bytes are a request, which are refused and how, wherever they are cut.

#include "src/net/request_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace tracekeeper::net {
namespace {

using namespace std::string_literals;  // their length counts the NULs in them

using Progress = RequestReader::Progress;

constexpr std::size_t kHeaderLimit = 1024;
constexpr std::size_t kBodyLimit = 64;

/// Gives `bytes` to the reader in pieces of `piece` bytes until it has decided.
Progress Feed(RequestReader& reader, std::string_view bytes, std::size_t piece) {
  Progress progress = Progress::kNeedMore;
  while (!bytes.empty() && progress == Progress::kNeedMore) {
    const std::span<char> space = reader.Space();
    const std::size_t size = std::min({piece, bytes.size(), space.size()});
    std::memcpy(space.data(), bytes.data(), size);
    bytes.remove_prefix(size);
    progress = reader.Commit(size);
  }
  return progress;
}

struct FramingCase {
  const char* name;
  std::string bytes;
  int refused_with;  // 0: accepted
  std::string body = {};
};

std::string Repeat(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

const std::string kPost = "POST /mutate HTTP/1.1\r\nHost: a\r\n";
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";

/// A request without body, of that many bytes.
std::string HeaderOf(std::size_t size) {
  const std::string fields = kPost + Repeat("X: y\r\n", 40) + "X-Pad: ";
  return fields + Repeat("y", size - fields.size() - 4) + "\r\n\r\n";
}

const FramingCase kCases[] = {
    {"plain get", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"body by length", kPost + "Content-Length: 5\r\n\r\nhello", 0, "hello"},
    {"chunks", kChunked + "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", 0, "hello world"},
    {"chunk extension and trailer", kChunked + "5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", 0,
     "hello"},
    {"empty line before", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"http 1.0 without host", "GET / HTTP/1.0\r\n\r\n", 0},
    {"coding in another case", kPost + "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", 0},
    {"length and chunked", kPost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"chunked and length", kPost + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
    {"two equal lengths", kPost + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
    {"two lengths in one field", kPost + "Content-Length: 5, 6\r\n\r\nhello", 400},
    {"negative length", kPost + "Content-Length: -1\r\n\r\n", 400},
    {"length with a sign", kPost + "Content-Length: +5\r\n\r\nhello", 400},
    {"length beyond 64 bits", kPost + "Content-Length: 18446744073709551621\r\n\r\nhello", 400},
    {"gzip then chunked", kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
    {"unknown coding", kPost + "Transfer-Encoding: identity\r\n\r\n", 400},
    {"coding twice", kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     400},
    {"coding in http 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"chunk size -1", kChunked + "-1\r\nhello\r\n", 400},
    {"chunk size with a letter", kChunked + "2x\r\nhello\r\n", 400},
    {"chunk size with 0x", kChunked + "0x5\r\nhello\r\n0\r\n\r\n", 400},
    {"no chunk size", kChunked + "\r\nhello\r\n", 400},
    {"chunk size beyond 64 bits", kChunked + "fffffffffffffffff\r\n", 400},
    {"chunk longer than it said", kChunked + "3\r\nhello\r\n0\r\n\r\n", 400},
    {"chunk extension without end", kChunked + "5;" + Repeat("a", 20000), 400},
    {"body over the limit by length", kPost + "Content-Length: 65\r\n\r\n", 413},
    {"body over the limit by one chunk", kChunked + "41\r\n", 413},
    {"body over the limit by many chunks", kChunked + Repeat("8\r\n12345678\r\n", 9), 413},
    {"body exactly at the limit", kPost + "Content-Length: 64\r\n\r\n" + Repeat("x", 64), 0,
     Repeat("x", 64)},
    {"header over the limit", kPost + "X: " + Repeat("y", 2000) + "\r\n\r\n", 431},
    {"header as long as allowed", HeaderOf(kHeaderLimit), 0},
    {"header one byte too long", HeaderOf(kHeaderLimit + 1), 431},
    {"endless header", kPost + Repeat("X-Pad: y\r\n", 2000), 431},
    {"endless target", "GET /" + Repeat("a", 20000), 431},
    {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"http 2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"http 3.0", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
    {"tls on the plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400},
    {"space before colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
    {"bare line feed", "GET / HTTP/1.1\nHost: a\n\n\r\n\r\n", 505},
    {"nul in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"s, 400},
    {"garbage", "hello, is this the webhook?\r\n\r\n", 400},
};

class Framing : public testing::TestWithParam<FramingCase> {};

TEST_P(Framing, IsTheSameWhereverTheBytesAreCut) {
  const FramingCase& example = GetParam();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{65536}}) {
    SCOPED_TRACE(testing::Message() << "pieces of " << piece << " bytes");
    RequestReader reader(kHeaderLimit, kBodyLimit);
    const Progress progress = Feed(reader, example.bytes, piece);
    if (example.refused_with == 0) {
      ASSERT_EQ(progress, Progress::kComplete);
      EXPECT_EQ(reader.Take().body, example.body);
    } else {
      ASSERT_EQ(progress, Progress::kRefused);
      EXPECT_EQ(reader.refusal().status, example.refused_with) << reader.refusal().reason;
      EXPECT_FALSE(reader.refusal().reason.empty());
    }
  }
}

std::string NameOf(const testing::TestParamInfo<FramingCase>& example) {
  std::string name = example.param.name;
  std::replace_if(name.begin(), name.end(), [](char c) { return !isalnum(c); }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(RequestReader, Framing, testing::ValuesIn(kCases), NameOf);

TEST(RequestReader, GivesWhatWasSent) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  ASSERT_EQ(Feed(reader, "PATCH /a?b=c HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nx-one: 2\r\n\r\n", 3),
            Progress::kComplete);
  EXPECT_TRUE(reader.keep_alive());
  const Request request = reader.Take();
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.target, "/a?b=c");
  EXPECT_EQ(request.headers.size(), 3U);
  EXPECT_EQ(request.headers.Get("X-ONE"), "1");
}

TEST(RequestReader, PutsABodyIntoTheMemoryItIsGiven) {
  constexpr std::size_t kLimit = 300'000;
  for (const std::size_t announced : {std::size_t{10}, std::size_t{60'000}, kLimit}) {
    for (const std::size_t given : {std::size_t{0}, std::size_t{20}, kLimit}) {
      SCOPED_TRACE(testing::Message() << announced << " bytes into " << given);
      RequestReader reader(kHeaderLimit, kLimit);
      const std::string head =
          kPost + "Content-Length: " + std::to_string(announced) + "\r\n\r\nfirst";
      ASSERT_EQ(Feed(reader, head, 65536), Progress::kNeedMore);
      EXPECT_EQ(reader.announced_body_bytes(), announced);
      std::string memory(given, 'o');
      const char* const at = memory.data();
      reader.UseForBody(std::move(memory));
      const std::string rest = std::string(announced - 6, 'r') + "!";
      ASSERT_EQ(Feed(reader, rest, 1'000), Progress::kComplete);
      const Request request = reader.Take();
      EXPECT_TRUE(request.body == "first" + rest);
      EXPECT_EQ(request.body.data() == at, given >= announced);
      EXPECT_EQ(reader.Resume(), Progress::kNeedMore);
      EXPECT_TRUE(reader.at_start());
    }
  }
}

TEST(RequestReader, TakesPipelinedRequestsOneByOne) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  ASSERT_EQ(Feed(reader,
                 kPost + "Content-Length: 3\r\n\r\none" + "\r\n" + kPost +
                     "Content-Length: 3\r\n\r\ntwo" + "GET / HT",
                 65536),
            Progress::kComplete);
  EXPECT_EQ(reader.Take().body, "one");
  ASSERT_EQ(reader.Resume(), Progress::kComplete) << "an empty line before a request is skipped";
  EXPECT_EQ(reader.Take().body, "two");
  EXPECT_EQ(reader.Resume(), Progress::kNeedMore);
  EXPECT_FALSE(reader.at_start()) << "the third request has begun";
}

struct KeepAliveCase {
  const char* bytes;
  bool keep_alive;
};

TEST(RequestReader, KnowsWhetherThePeerKeepsTheConnection) {
  for (const auto& [bytes, keep_alive] : std::initializer_list<KeepAliveCase>{
           {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
           {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
           {"GET / HTTP/1.0\r\n\r\n", false},
           {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true}}) {
    RequestReader reader(kHeaderLimit, kBodyLimit);
    ASSERT_EQ(Feed(reader, bytes, 65536), Progress::kComplete) << bytes;
    EXPECT_EQ(reader.keep_alive(), keep_alive) << bytes;
  }
}

TEST(RequestReader, TellsOnceThatThePeerWaitsForContinue) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  const std::string head = kPost + "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  ASSERT_EQ(Feed(reader, head, 65536), Progress::kNeedMore);
  EXPECT_TRUE(reader.TakeContinueWish());
  EXPECT_FALSE(reader.TakeContinueWish());
  EXPECT_EQ(Feed(reader, "ok", 1), Progress::kComplete);
}

TEST(RequestReader, TrailersDoNotBecomeHeaders) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  ASSERT_EQ(Feed(reader, kChunked + "0\r\nX-Forged: yes\r\n\r\n", 65536), Progress::kComplete);
  EXPECT_FALSE(reader.Take().headers.Has("X-Forged"));
}

}  // namespace
}  // namespace tracekeeper::net
