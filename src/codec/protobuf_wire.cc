#include "src/codec/protobuf_wire.h"

#include <array>

namespace tracekeeper::codec {

namespace {

constexpr std::size_t kLongestVarint = 10;

/// Writes `value` to `out`, which has room for it; returns how many bytes it took.
std::size_t PutVarint(char* out, std::uint64_t value) {
  std::size_t size = 0;
  while (value >= 0x80U) {
    out[size++] = static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  out[size++] = static_cast<char>(value);
  return size;
}

template <typename Number>
std::string_view BytesOf(const Number& number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

}  // namespace

std::optional<std::uint64_t> TakeLongVarint(std::string_view& bytes, std::size_t longest) {
  if (bytes.size() < longest) longest = bytes.size();
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < longest; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * i);
    if (byte < 0x80U) {
      bytes.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

Status WireReader::Finish() const {
  if (damage_ == nullptr) return {};
  return Fail(ErrorKind::kDecode, "protobuf: field {} at byte {} is damaged: {}", field_,
              rest_.data() - message_.data(), damage_);
}

void WireWriter::AppendVarint(std::uint64_t value) {
  std::array<char, kLongestVarint> bytes;
  out_.append(bytes.data(), PutVarint(bytes.data(), value));
}

void WireWriter::Varint(std::uint32_t field, std::uint64_t value) {
  AppendTag(field, WireType::kVarint);
  AppendVarint(value);
}

void WireWriter::Fixed32(std::uint32_t field, std::uint32_t value) {
  AppendTag(field, WireType::kFixed32);
  out_.append(BytesOf(value));
}

void WireWriter::Fixed64(std::uint32_t field, std::uint64_t value) {
  AppendTag(field, WireType::kFixed64);
  out_.append(BytesOf(value));
}

void WireWriter::Bytes(std::uint32_t field, std::string_view value) {
  MessageHead(field, value.size());
  out_.append(value);
}

void WireWriter::MessageHead(std::uint32_t field, std::size_t size) {
  AppendTag(field, WireType::kBytes);
  AppendVarint(size);
}

WireWriter::OpenMessage WireWriter::Begin(std::uint32_t field) {
  AppendTag(field, WireType::kBytes);
  out_.push_back('\0');
  return {out_.size() - 1};
}

void WireWriter::End(OpenMessage message) {
  const std::size_t size = out_.size() - message.length_at - 1;
  out_.insert(message.length_at + 1, VarintSize(size) - 1, '\0');
  PutVarint(out_.data() + message.length_at, size);
}

}  // namespace tracekeeper::codec
