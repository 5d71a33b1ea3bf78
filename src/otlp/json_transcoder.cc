// The only file that includes RapidJSON: its streaming reader calls Transcoder, which writes each
// value as it comes. Every message is open in the output while its members are read.

#include "src/otlp/json_transcoder.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "src/codec/base64.h"
#include "src/codec/protobuf_wire.h"
#include "src/otlp/json_schema.h"

namespace tracekeeper::otlp {
namespace {

using codec::WireWriter;

constexpr std::size_t kTraceIdDigits = 32;
constexpr std::size_t kSpanIdDigits = 16;

template <typename Number>
std::optional<Number> Parse(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseDouble(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return Parse<double>(text);
}

/// An integer as digits, or as JavaScript may write it: "1e3", "5.0".
template <typename Integer>
std::optional<Integer> ParseInteger(std::string_view text) {
  if (const auto integer = Parse<Integer>(text)) return integer;
  const auto number = Parse<double>(text);
  constexpr double kExact = 9007199254740992.0;  // 2^53
  const bool fits = number && std::trunc(*number) == *number && std::abs(*number) <= kExact &&
                    *number >= static_cast<double>(std::numeric_limits<Integer>::min()) &&
                    *number <= static_cast<double>(std::numeric_limits<Integer>::max());
  if (!fits) return std::nullopt;
  return static_cast<Integer>(*number);
}

std::optional<std::string> ParseHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    if (error != std::errc() || end != text.data() + i + 2) return std::nullopt;
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

/// Both alphabets, with or without padding, as protobuf's JSON takes them.
std::optional<std::string> ParseBase64(std::string_view text) {
  std::string standard(text);
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  standard.append((4 - standard.size() % 4) % 4, '=');
  auto bytes = codec::DecodeBase64(standard);
  if (!bytes) return std::nullopt;
  return *std::move(bytes);
}

std::optional<std::string> ParseId(std::string_view text, JsonIds ids) {
  const bool has_a_length =
      text.empty() || text.size() == kSpanIdDigits || text.size() == kTraceIdDigits;
  if (has_a_length || ids == JsonIds::kAny) {
    if (auto bytes = ParseHex(text)) return bytes;
  }
  if (ids == JsonIds::kExact) return std::nullopt;
  auto bytes = ParseBase64(text);
  const bool is_an_id =
      bytes && (bytes->size() == kTraceIdDigits / 2 || bytes->size() == kSpanIdDigits / 2);
  return is_an_id ? std::move(bytes) : std::string(1, '\0');
}

std::optional<std::uint64_t> ParseEnum(const FieldSchema& field, std::string_view text) {
  if (const auto number = ParseInteger<std::int32_t>(text)) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(*number));
  }
  const auto found = std::find_if(field.names.begin(), field.names.end(),
                                  [&](const EnumName& name) { return name.name == text; });
  if (found == field.names.end()) return std::nullopt;
  return found->value;
}

std::uint64_t ZigZag(std::int32_t value) {
  return (static_cast<std::uint32_t>(value) << 1U) ^
         static_cast<std::uint32_t>(value >> 31);  // the sign in every bit
}

void AppendVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out.push_back(static_cast<char>(value | 0x80U));
  out.push_back(static_cast<char>(value));
}

void AppendFixed64(std::string& out, std::uint64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));  // little-endian as we are
}

/// What RapidJSON calls while it reads. A false answer ends the reading; problem() says why.
class Transcoder {
 public:
  Transcoder(const MessageSchema& root, std::size_t limit, JsonIds ids, std::string& out)
      : root_(root), limit_(out.size() + limit), ids_(ids), out_(out), writer_(out) {}

  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }

  // NOLINTBEGIN(readability-identifier-naming): RapidJSON's names.
  bool Null() { return skipping_ > 0 || SkipValue(); }
  bool Bool(bool value) {
    if (IsSkipped()) return true;
    const FieldSchema* field = ScalarField();
    if (field == nullptr || field->type != FieldType::kBool) return WrongType("a boolean");
    writer_.Varint(field->number, value ? 1 : 0);
    return WithinLimit();
  }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    return Scalar({text, size}, "a number");
  }
  bool String(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    if (IsSkipped()) return true;
    const FieldSchema* field = ScalarField();
    if (field != nullptr && field->type == FieldType::kString) {
      writer_.Bytes(field->number, {text, size});
      return WithinLimit();
    }
    return Scalar({text, size}, "a string");
  }
  bool Key(const char* name, rapidjson::SizeType size, bool /*copy*/) {
    if (skipping_ > 0) return true;
    Frame& frame = frames_.back();
    frame.field = FindField(*frame.message, {name, size});
    skips_value_ = frame.field == nullptr;
    return true;
  }
  bool StartObject() {
    if (Skips()) return EnterSkipped();
    if (frames_.empty()) return Enter({.message = &root_});
    const FieldSchema* field = ScalarField();
    if (field == nullptr || field->type != FieldType::kMessage) return WrongType("an object");
    return Enter({.message = field->message, .open = writer_.Begin(field->number)});
  }
  bool EndObject(rapidjson::SizeType /*members*/) { return Leave(); }
  bool StartArray() {
    if (Skips()) return EnterSkipped();
    const FieldSchema* field = frames_.empty() ? nullptr : frames_.back().field;
    const bool nested = !frames_.empty() && frames_.back().is_array;
    if (field == nullptr || nested || !field->repeated) return WrongType("an array");
    Frame frame{.field = field, .is_array = true};
    if (IsPacked(*field)) frame.open = writer_.Begin(field->number);
    return Enter(frame);
  }
  bool EndArray(rapidjson::SizeType /*elements*/) { return Leave(); }
  // Numbers come as text.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  // NOLINTEND(readability-identifier-naming)

 private:
  struct Frame {
    const MessageSchema* message = nullptr;
    const FieldSchema* field = nullptr;  // whose value comes next, or whose array this is
    bool is_array = false;
    std::optional<WireWriter::OpenMessage> open = std::nullopt;
  };

  static bool IsPacked(const FieldSchema& field) {
    return field.type == FieldType::kFixed64 || field.type == FieldType::kDouble ||
           field.type == FieldType::kUint64;
  }

  /// Inside a member that nobody knows, or at its value.
  [[nodiscard]] bool Skips() const { return skipping_ > 0 || skips_value_; }
  bool IsSkipped() {
    if (!Skips()) return false;
    if (skipping_ == 0) skips_value_ = false;
    return true;
  }
  bool SkipValue() {
    skips_value_ = false;
    return true;
  }
  bool EnterSkipped() {
    skips_value_ = false;
    ++skipping_;
    return WithinDepth();
  }
  bool Enter(const Frame& frame) {
    frames_.push_back(frame);
    return WithinDepth() && WithinLimit();
  }
  bool Leave() {
    if (skipping_ > 0) {
      --skipping_;
      return true;
    }
    if (frames_.back().open) writer_.End(*frames_.back().open);
    frames_.pop_back();
    return WithinLimit();
  }

  /// The field that a value here belongs to; null where there is none, or where it wants an array.
  [[nodiscard]] const FieldSchema* ScalarField() const {
    if (frames_.empty()) return nullptr;
    const Frame& frame = frames_.back();
    if (frame.field == nullptr || (frame.field->repeated && !frame.is_array)) return nullptr;
    return frame.field;
  }

  bool Scalar(std::string_view text, const char* what) {
    if (IsSkipped()) return true;
    const FieldSchema* field = ScalarField();
    if (field == nullptr) return WrongType(what);
    const bool done = frames_.back().is_array ? AppendPacked(*field, text) : Write(*field, text);
    return done ? WithinLimit() : WrongType(what);
  }

  template <typename Number, typename Emit>
  static bool With(const std::optional<Number>& number, Emit emit) {
    if (number) emit(*number);
    return number.has_value();
  }

  bool Write(const FieldSchema& field, std::string_view text) {
    const std::uint32_t id = field.number;
    switch (field.type) {
      case FieldType::kDouble:
        return With(ParseDouble(text), [&](double v) { writer_.Double(id, v); });
      case FieldType::kFixed32:
        return With(ParseInteger<std::uint32_t>(text), [&](auto v) { writer_.Fixed32(id, v); });
      case FieldType::kFixed64:
        return With(ParseInteger<std::uint64_t>(text), [&](auto v) { writer_.Fixed64(id, v); });
      case FieldType::kSFixed64:
        return With(ParseInteger<std::int64_t>(text),
                    [&](auto v) { writer_.Fixed64(id, static_cast<std::uint64_t>(v)); });
      case FieldType::kUint32:
        return With(ParseInteger<std::uint32_t>(text), [&](auto v) { writer_.Varint(id, v); });
      case FieldType::kUint64:
        return With(ParseInteger<std::uint64_t>(text), [&](auto v) { writer_.Varint(id, v); });
      case FieldType::kInt64:
        return With(ParseInteger<std::int64_t>(text),
                    [&](auto v) { writer_.Varint(id, static_cast<std::uint64_t>(v)); });
      case FieldType::kSint32:
        return With(ParseInteger<std::int32_t>(text),
                    [&](auto v) { writer_.Varint(id, ZigZag(v)); });
      case FieldType::kEnum:
        return With(ParseEnum(field, text), [&](auto v) { writer_.Varint(id, v); });
      case FieldType::kHex:
        return With(ParseId(text, ids_), [&](const auto& v) {
          if (!v.empty()) writer_.Bytes(id, v);
        });
      case FieldType::kBase64:
        return With(ParseBase64(text), [&](const auto& v) { writer_.Bytes(id, v); });
      case FieldType::kString:
      case FieldType::kBool:
      case FieldType::kMessage:
        return false;
    }
    return false;
  }

  bool AppendPacked(const FieldSchema& field, std::string_view text) {
    switch (field.type) {
      case FieldType::kFixed64:
        return With(ParseInteger<std::uint64_t>(text), [&](auto v) { AppendFixed64(out_, v); });
      case FieldType::kDouble:
        return With(ParseDouble(text),
                    [&](double v) { AppendFixed64(out_, std::bit_cast<std::uint64_t>(v)); });
      case FieldType::kUint64:
        return With(ParseInteger<std::uint64_t>(text), [&](auto v) { AppendVarint(out_, v); });
      default:
        return false;
    }
  }

  bool WithinDepth() {
    if (frames_.size() + skipping_ <= kMaxJsonDepth) return true;
    problem_ = Error{ErrorKind::kDecode, fmt::format("nests deeper than {} levels", kMaxJsonDepth)};
    return false;
  }
  bool WithinLimit() {
    if (out_.size() <= limit_) return true;
    problem_ = Error{ErrorKind::kInvalid, "is too large: send smaller batches"};
    return false;
  }
  bool WrongType(const char* what) {
    const FieldSchema* field = frames_.empty() ? nullptr : frames_.back().field;
    problem_ =
        Error{ErrorKind::kDecode,
              field == nullptr ? fmt::format("{} stands where the request should begin", what)
                               : fmt::format("{} cannot be the value of {}", what, field->name)};
    return false;
  }

  const MessageSchema& root_;
  const std::size_t limit_;
  const JsonIds ids_;
  std::string& out_;
  WireWriter writer_;
  std::vector<Frame> frames_;
  std::size_t skipping_ = 0;  // depth within a member that nobody knows
  bool skips_value_ = false;  // such a member's name was read
  std::optional<Error> problem_;
};

}  // namespace

Status TranscodeJson(Signal signal, std::string_view json, std::size_t limit, std::string& protobuf,
                     JsonIds ids) {
  constexpr unsigned kFlags =
      rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;
  Transcoder transcoder(RequestSchema(signal), limit, ids, protobuf);
  rapidjson::MemoryStream stream(json.data(), json.size());
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, transcoder);
  if (result && stream.Tell() == json.size()) return {};
  const std::size_t offset = result ? stream.Tell() : result.Offset();
  const std::string place =
      fmt::format("these bytes are no OTLP {} in JSON, at offset {}", NameOf(signal), offset);
  if (transcoder.problem()) return Fail(Error(*transcoder.problem()).Within(place));
  const char* reason = result ? "a zero byte" : rapidjson::GetParseError_En(result.Code());
  return Fail(ErrorKind::kDecode, "{}: {}", place, reason);
}

}  // namespace tracekeeper::otlp
