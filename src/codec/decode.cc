#include "src/codec/decode.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tracekeeper::codec {

std::string DecodePath::ToString() const {
  std::string text = parent != nullptr ? parent->ToString() : std::string();
  if (name.empty()) return parent != nullptr ? fmt::format("{}[{}]", text, index) : text;
  // Keys such as "example.com/team" are quoted, so that the path reads one way only.
  if (name.find_first_of("./[] ") != std::string_view::npos && parent != nullptr) {
    return fmt::format("{}[\"{}\"]", text, name);
  }
  if (!text.empty()) text.push_back('.');
  return text.append(name);
}

namespace decode_internal {
namespace {

std::string_view NameOf(JsonValue::Kind kind) {
  switch (kind) {
    case JsonValue::Kind::kMissing:
      return "nothing";
    case JsonValue::Kind::kNull:
      return "null";
    case JsonValue::Kind::kBool:
      return "true or false";
    case JsonValue::Kind::kInteger:
    case JsonValue::Kind::kDouble:
      return "a number";
    case JsonValue::Kind::kString:
      return "a string";
    case JsonValue::Kind::kArray:
      return "a list";
    case JsonValue::Kind::kObject:
      return "an object";
  }
  return "nothing";
}

Status At(const DecodePath& path, std::string_view sentence) {
  const std::string where = path.ToString();
  if (where.empty()) return Fail(ErrorKind::kDecode, "the document {}", sentence);
  return Fail(ErrorKind::kDecode, "{} {}", where, sentence);
}

}  // namespace

Status WrongType(const DecodePath& path, std::string_view wanted, JsonValue::Kind found) {
  return At(path, fmt::format("is {}; it must be {}", NameOf(found), wanted));
}

Status OutOfRange(const DecodePath& path, std::int64_t value, std::int64_t low, std::int64_t high) {
  return At(path, fmt::format("is {}; it must be between {} and {}", value, low, high));
}

Status UnknownName(const DecodePath& path, std::string_view name,
                   std::span<const std::string_view> known) {
  return At(path, fmt::format("is \"{}\"; it must be one of {}", name, fmt::join(known, ", ")));
}

Status Missing(const DecodePath& path) { return At(path, "is missing"); }

Status BadText(const DecodePath& path, const Error& error) {
  return At(path, fmt::format("cannot be read: {}", error.message));
}

}  // namespace decode_internal
}  // namespace tracekeeper::codec
