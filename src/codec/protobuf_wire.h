#pragma once
// The protobuf wire format without generated code: WireReader walks the fields of one message and
// copies nothing, WireWriter appends fields to a string. What a field means, and how deep messages
// nest, is the caller's business: a submessage is bytes() given to another WireReader.
//
//   WireReader reader(message);
//   while (reader.Next()) {
//     if (reader.Is(5, WireType::kBytes)) name = reader.bytes();
//   }
//   TRY(reader.Finish());
//
// Threads:  values; one thread at a time. Views live as long as the message's bytes.
// Failure:  Next() is false at the end and at the first damaged field; Finish() tells which: a tag
//           or length cut off or beyond the end, a varint of more than 10 bytes (a tag or length:
//           5), field number 0 or above 2^29 - 1, a group (wire types 3 and 4, which proto3 never
//           writes), wire types 6 and 7.
// Source:   protobuf.dev, "Encoding". Inline, because relays spend most of their time here.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::codec {

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// Takes a varint off the front of `bytes`; nothing when it is cut off or longer than `longest`
/// bytes. Also for the elements of a packed field.
[[nodiscard]] inline std::optional<std::uint64_t> TakeVarint(std::string_view& bytes,
                                                             std::size_t longest = 10);

class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message), message_(message) {}

  /// Moves to the next field; false when there is none or it is damaged.
  bool Next();
  /// An error when Next() ended at a damaged field.
  [[nodiscard]] Status Finish() const;

  [[nodiscard]] std::uint32_t field() const { return field_; }
  [[nodiscard]] WireType type() const { return type_; }
  [[nodiscard]] bool Is(std::uint32_t field, WireType type) const {
    return field_ == field && type_ == type;
  }

  /// The value of kVarint, kFixed64 and kFixed32, as the bits that were sent.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  /// The value of kBytes; empty for the others.
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  /// The whole field, tag and all: what a relay passes on unread.
  [[nodiscard]] std::string_view raw() const { return raw_; }

 private:
  bool Damaged(const char* what);

  std::string_view rest_;
  std::string_view message_;
  std::string_view raw_;
  std::string_view bytes_;
  std::uint64_t number_ = 0;
  std::uint32_t field_ = 0;
  WireType type_ = WireType::kVarint;
  const char* damage_ = nullptr;
};

/// How many bytes `value` takes as a varint.
[[nodiscard]] constexpr std::size_t VarintSize(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1U)) + 6) / 7;
}

/// How many bytes a kBytes field takes whose content has `size` bytes.
[[nodiscard]] constexpr std::size_t BytesFieldSize(std::uint32_t field, std::size_t size) {
  return VarintSize(std::uint64_t{field} << 3U) + VarintSize(size) + size;
}

/// Appends fields to a string that the caller owns. Writes what it is told: it leaves no field out
/// because its value is the default.
class WireWriter {
 public:
  explicit WireWriter(std::string& out) : out_(out) {}

  void Varint(std::uint32_t field, std::uint64_t value);
  void Fixed32(std::uint32_t field, std::uint32_t value);
  void Fixed64(std::uint32_t field, std::uint64_t value);
  void Double(std::uint32_t field, double value) {
    Fixed64(field, std::bit_cast<std::uint64_t>(value));
  }
  void Bytes(std::uint32_t field, std::string_view value);
  /// Fields as WireReader::raw() gave them.
  void Raw(std::string_view fields) { out_.append(fields); }

  /// The head of a submessage whose `size` is known; the caller writes exactly that much after it.
  void MessageHead(std::uint32_t field, std::size_t size);

  /// A submessage whose size is not known: everything written until End() is in it. They nest,
  /// innermost ends first. End() moves the content when it is longer than 127 bytes.
  struct OpenMessage {
    std::size_t length_at = 0;
  };
  [[nodiscard]] OpenMessage Begin(std::uint32_t field);
  void End(OpenMessage message);

 private:
  void AppendVarint(std::uint64_t value);
  void AppendTag(std::uint32_t field, WireType type) {
    AppendVarint(std::uint64_t{field} << 3U | static_cast<std::uint64_t>(type));
  }

  std::string& out_;
};

/// TakeVarint where the first byte is not the last one.
[[nodiscard]] std::optional<std::uint64_t> TakeLongVarint(std::string_view& bytes,
                                                          std::size_t longest);

inline std::optional<std::uint64_t> TakeVarint(std::string_view& bytes, std::size_t longest) {
  // Nearly all tags and lengths are one byte.
  if (!bytes.empty() && static_cast<unsigned char>(bytes.front()) < 0x80U) {
    const auto value = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    return value;
  }
  return TakeLongVarint(bytes, longest);
}

inline bool WireReader::Damaged(const char* what) {
  damage_ = what;
  return false;
}

inline bool WireReader::Next() {
  if (rest_.empty() || damage_ != nullptr) return false;
  constexpr std::size_t kLongestTag = 5;  // also of a length: what libprotobuf takes
  const char* const start = rest_.data();
  const auto tag = TakeVarint(rest_, kLongestTag);
  if (!tag) return Damaged("its tag is cut off or too long");
  constexpr std::uint64_t kLargestTag = 0xFFFFFFFFU;
  if (*tag > kLargestTag || *tag < 8) return Damaged("its number is out of range");
  field_ = static_cast<std::uint32_t>(*tag >> 3U);
  bytes_ = {};
  number_ = 0;
  switch (*tag & 7U) {
    case 0: {
      const auto value = TakeVarint(rest_);
      if (!value) return Damaged("its varint is cut off or too long");
      type_ = WireType::kVarint;
      number_ = *value;
      break;
    }
    case 1: {
      if (rest_.size() < sizeof number_) return Damaged("its 8 bytes are cut off");
      type_ = WireType::kFixed64;
      std::memcpy(&number_, rest_.data(), sizeof number_);
      rest_.remove_prefix(sizeof number_);
      break;
    }
    case 2: {
      const auto size = TakeVarint(rest_, kLongestTag);
      if (!size) return Damaged("its length is cut off or too long");
      if (*size > rest_.size()) return Damaged("its length is beyond the message's end");
      type_ = WireType::kBytes;
      bytes_ = rest_.substr(0, static_cast<std::size_t>(*size));
      rest_.remove_prefix(bytes_.size());
      break;
    }
    case 5: {
      std::uint32_t value = 0;
      if (rest_.size() < sizeof value) return Damaged("its 4 bytes are cut off");
      type_ = WireType::kFixed32;
      std::memcpy(&value, rest_.data(), sizeof value);
      number_ = value;
      rest_.remove_prefix(sizeof value);
      break;
    }
    default:
      return Damaged("its wire type is a group or unknown");
  }
  raw_ = {start, static_cast<std::size_t>(rest_.data() - start)};
  return true;
}

static_assert(std::endian::native == std::endian::little, "fixed fields are read as they lie");

}  // namespace tracekeeper::codec
