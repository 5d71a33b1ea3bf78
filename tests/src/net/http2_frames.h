#pragma once
// HTTP/2 frames written by hand, for peers that misbehave.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/src/net/raw_socket.h"

namespace tracekeeper::net::http2 {

enum class Type : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

constexpr int kNoFlags = 0;
constexpr int kAck = 1;
constexpr int kEndStream = 1;
constexpr int kEndHeaders = 4;

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string Number(std::uint32_t value) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>(value >> shift);
  return bytes;
}

inline std::string Frame(Type type, int flags, std::uint32_t stream, std::string_view payload) {
  std::string frame = Number(static_cast<std::uint32_t>(payload.size())).substr(1);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  return frame.append(Number(stream)).append(payload);
}

/// The preface and empty settings: how a client begins.
inline std::string Hello() {
  return std::string(kPreface) + Frame(Type::kSettings, kNoFlags, 0, {});
}

using Fields = std::vector<std::pair<std::string, std::string>>;

/// Literal fields without indexing; names and values up to 126 bytes.
inline std::string HeaderBlock(const Fields& fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block += '\0';
    block += static_cast<char>(name.size());
    block += name;
    block += static_cast<char>(value.size());
    block += value;
  }
  return block;
}

inline std::string Post(std::uint32_t stream, int flags = kEndHeaders, const Fields& more = {}) {
  Fields fields = {{":method", "POST"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/x"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return Frame(Type::kHeaders, flags, stream, HeaderBlock(fields));
}

inline std::string Reset(std::uint32_t stream, std::uint32_t code = 8) {
  return Frame(Type::kReset, kNoFlags, stream, Number(code));
}

/// The last stream that was or will be looked at, and why.
inline std::string GoAway(std::uint32_t last_stream, std::uint32_t code = 0) {
  return Frame(Type::kGoAway, kNoFlags, 0, Number(last_stream) + Number(code));
}

struct Received {
  Type type{};
  int flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
};

/// Reads frames off a socket, one after the other.
class FrameReader {
 public:
  explicit FrameReader(RawSocket& socket) : socket_(socket) {}

  /// Nothing at the end of the stream.
  std::optional<Received> Next() {
    constexpr std::size_t kHead = 9;
    if (!Fill(kHead)) return std::nullopt;
    const std::size_t size = Byte(0) << 16U | Byte(1) << 8U | Byte(2);
    if (!Fill(kHead + size)) return std::nullopt;
    Received frame{static_cast<Type>(Byte(3)), static_cast<int>(Byte(4)),
                   Byte(5) << 24U | Byte(6) << 16U | Byte(7) << 8U | Byte(8),
                   bytes_.substr(kHead, size)};
    bytes_.erase(0, kHead + size);
    return frame;
  }

  /// The next frame of that type; those before it are skipped.
  std::optional<Received> Next(Type type) {
    while (auto frame = Next()) {
      if (frame->type == type) return frame;
    }
    return std::nullopt;
  }

  void SkipPreface() {
    if (Fill(kPreface.size())) bytes_.erase(0, kPreface.size());
  }

 private:
  std::uint32_t Byte(std::size_t i) const { return static_cast<unsigned char>(bytes_[i]); }
  bool Fill(std::size_t size) {
    while (bytes_.size() < size) {
      const std::string more = socket_.Read();
      if (more.empty()) return false;
      bytes_ += more;
    }
    return true;
  }

  RawSocket& socket_;
  std::string bytes_;
};

/// The error code in a RST_STREAM or GOAWAY frame: its last four bytes but debug data.
inline std::uint32_t CodeIn(const Received& frame) {
  const std::size_t at = frame.type == Type::kGoAway ? 4 : 0;
  std::uint32_t code = 0;
  for (const char c : frame.payload.substr(at, 4)) {
    code = code << 8U | static_cast<unsigned char>(c);
  }
  return code;
}

}  // namespace tracekeeper::net::http2
