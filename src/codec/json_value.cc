#include "src/codec/json_value.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "src/codec/json_check.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::codec {
namespace {

using simdjson::internal::tape_ref;
using simdjson::internal::tape_type;

// A view is simdjson's own reference into its tape: the document and an index. If a later simdjson
// changes that, these stop the build and only this file changes.
static_assert(sizeof(simdjson::dom::element) == sizeof(tape_ref));
static_assert(sizeof(tape_ref) == sizeof(void*) + sizeof(std::size_t));
static_assert(std::is_trivially_copyable_v<simdjson::dom::element>);
static_assert(std::is_trivially_copyable_v<tape_ref>);

// The smallest buffer that is kept between documents, and the largest: an admission webhook sees
// many pods of some kB and now and then one of MBs, whose memory must not stay for ever.
constexpr std::size_t kSmallestCapacity = 16U << 10;
constexpr std::size_t kLargestKept = 1U << 20;

tape_ref At(const void* document, std::size_t index) {
  return {static_cast<const simdjson::dom::document*>(document), index};
}

}  // namespace

JsonValue::Kind JsonValue::kind() const {
  if (document_ == nullptr) return Kind::kMissing;
  switch (At(document_, index_).tape_ref_type()) {
    case tape_type::START_OBJECT:
      return Kind::kObject;
    case tape_type::START_ARRAY:
      return Kind::kArray;
    case tape_type::STRING:
      return Kind::kString;
    case tape_type::INT64:
    case tape_type::UINT64:
      return Kind::kInteger;
    case tape_type::DOUBLE:
      return Kind::kDouble;
    case tape_type::TRUE_VALUE:
    case tape_type::FALSE_VALUE:
      return Kind::kBool;
    default:
      return Kind::kNull;
  }
}

JsonValue JsonValue::operator[](std::string_view key) const {
  if (document_ == nullptr) return {};
  const tape_ref object = At(document_, index_);
  if (object.tape_ref_type() != tape_type::START_OBJECT) return {};
  const std::size_t end = object.matching_brace_index() - std::size_t{1};
  tape_ref member = At(document_, index_ + 1);
  while (member.json_index != end) {
    if (member.get_string_length() == key.size() &&
        std::memcmp(member.get_c_str(), key.data(), key.size()) == 0) {
      return {document_, member.json_index + 1};
    }
    ++member.json_index;  // a key takes one word
    member.json_index = member.after_element();
  }
  return {};
}

std::size_t JsonValue::size() const {
  if (!is_array() && !is_object()) return 0;
  const tape_ref scope = At(document_, index_);
  const std::uint32_t count = scope.scope_count();
  if (count < simdjson::internal::JSON_COUNT_MASK) return count;
  std::size_t exact = 0;  // the tape's own count saturates at 16 million
  if (is_array()) {
    for ([[maybe_unused]] const JsonValue element : Elements()) ++exact;
  } else {
    for ([[maybe_unused]] const JsonMember& member : Members()) ++exact;
  }
  return exact;
}

std::optional<std::string_view> JsonValue::String() const {
  if (document_ == nullptr) return std::nullopt;
  const tape_ref value = At(document_, index_);
  if (value.tape_ref_type() != tape_type::STRING) return std::nullopt;
  return value.get_string_view();
}

std::string_view JsonValue::StringOr(std::string_view fallback) const {
  return String().value_or(fallback);
}

std::optional<std::int64_t> JsonValue::Integer() const {
  if (document_ == nullptr) return std::nullopt;
  const tape_ref value = At(document_, index_);
  if (!value.is_int64()) return std::nullopt;  // simdjson uses UINT64 above the signed range only
  return value.next_tape_value<std::int64_t>();
}

std::int64_t JsonValue::IntegerOr(std::int64_t fallback) const {
  return Integer().value_or(fallback);
}

std::optional<double> JsonValue::Double() const {
  if (document_ == nullptr) return std::nullopt;
  const tape_ref value = At(document_, index_);
  if (value.is_double()) return value.next_tape_value<double>();
  if (value.is_int64()) return static_cast<double>(value.next_tape_value<std::int64_t>());
  if (value.is_uint64()) return static_cast<double>(value.next_tape_value<std::uint64_t>());
  return std::nullopt;
}

std::optional<bool> JsonValue::Bool() const {
  if (document_ == nullptr) return std::nullopt;
  const tape_ref value = At(document_, index_);
  if (value.is_true()) return true;
  if (value.is_false()) return false;
  return std::nullopt;
}

bool JsonValue::BoolOr(bool fallback) const { return Bool().value_or(fallback); }

JsonElements JsonValue::Elements() const {
  if (!is_array()) return {{nullptr, 0}, {nullptr, 0}};
  const std::size_t end = At(document_, index_).matching_brace_index() - std::size_t{1};
  return {{document_, index_ + 1}, {document_, end}};
}

JsonMembers JsonValue::Members() const {
  if (!is_object()) return {{nullptr, 0}, {nullptr, 0}};
  const std::size_t end = At(document_, index_).matching_brace_index() - std::size_t{1};
  return {{document_, index_ + 1}, {document_, end}};
}

JsonValue JsonElements::Iterator::operator*() const { return {document_, index_}; }

JsonElements::Iterator& JsonElements::Iterator::operator++() {
  index_ = At(document_, index_).after_element();
  return *this;
}

JsonMember JsonMembers::Iterator::operator*() const {
  return {At(document_, index_).get_string_view(), JsonValue(document_, index_ + 1)};
}

JsonMembers::Iterator& JsonMembers::Iterator::operator++() {
  index_ = At(document_, index_ + 1).after_element();
  return *this;
}

namespace {

enum class MemberOrder { kAsRead, kSorted };

void WriteNumber(const JsonValue& value, JsonWriter& json) {
  if (const auto integer = value.Integer()) {
    json.Integer(*integer);
  } else if (value.kind() == JsonValue::Kind::kInteger) {
    json.Unsigned(*value.Unsigned());
  } else {
    json.Double(*value.Double());
  }
}

// Recursion is bounded by kMaxDepth, which the parser enforces.
void Write(const JsonValue& value, MemberOrder order, JsonWriter& json) {
  switch (value.kind()) {
    case JsonValue::Kind::kMissing:
    case JsonValue::Kind::kNull:
      json.Null();
      return;
    case JsonValue::Kind::kBool:
      json.Bool(*value.Bool());
      return;
    case JsonValue::Kind::kInteger:
    case JsonValue::Kind::kDouble:
      WriteNumber(value, json);
      return;
    case JsonValue::Kind::kString:
      json.String(*value.String());
      return;
    case JsonValue::Kind::kArray:
      json.BeginArray();
      for (const JsonValue element : value.Elements()) Write(element, order, json);
      json.EndArray();
      return;
    case JsonValue::Kind::kObject:
      break;
  }
  json.BeginObject();
  if (order == MemberOrder::kAsRead) {
    for (const JsonMember& member : value.Members()) {
      json.Key(member.key);
      Write(member.value, order, json);
    }
  } else {
    std::vector<JsonMember> members;
    members.reserve(value.size());
    for (const JsonMember& member : value.Members()) members.push_back(member);
    std::ranges::stable_sort(members, {}, &JsonMember::key);
    for (const JsonMember& member : members) {
      json.Key(member.key);
      Write(member.value, order, json);
    }
  }
  json.EndObject();
}

}  // namespace

std::optional<std::uint64_t> JsonValue::Unsigned() const {
  if (document_ == nullptr) return std::nullopt;
  const tape_ref value = At(document_, index_);
  if (value.is_uint64()) return value.next_tape_value<std::uint64_t>();
  const auto integer = Integer();
  if (!integer || *integer < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*integer);
}

void JsonValue::WriteTo(JsonWriter& json) const { Write(*this, MemberOrder::kAsRead, json); }

std::string JsonValue::ToJson() const {
  JsonWriter json;
  Write(*this, MemberOrder::kAsRead, json);
  return json.Take();
}

std::string JsonValue::ToCanonicalJson() const {
  JsonWriter json;
  Write(*this, MemberOrder::kSorted, json);
  return json.Take();
}

struct JsonParser::State {
  simdjson::dom::parser parser;
  std::unique_ptr<char[]> buffer;  // the text with the padding that simdjson reads beyond it
  std::size_t capacity = 0;
  std::size_t longest = 0;  // of the texts that these buffers have held

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { Wipe(); }

  /// Documents may hold secrets: no memory is given back with their bytes in it. What simdjson
  /// keeps of a text of n bytes is at most 5n/3 bytes of strings and n + 3 words of tape.
  void Wipe() {
    if (longest == 0) return;
    explicit_bzero(buffer.get(), longest);
    if (parser.doc.string_buf) explicit_bzero(parser.doc.string_buf.get(), 5 * longest / 3);
    if (parser.doc.tape) {
      explicit_bzero(parser.doc.tape.get(), (longest + 3) * sizeof(std::uint64_t));
    }
    longest = 0;
  }

  Status Reserve(std::size_t size) {
    if (!buffer || size > capacity || (capacity > kLargestKept && size <= kLargestKept)) {
      Wipe();
      capacity = std::max(std::bit_ceil(size), kSmallestCapacity);
      buffer = std::make_unique_for_overwrite<char[]>(capacity + simdjson::SIMDJSON_PADDING);
      parser = simdjson::dom::parser();  // gives a large document's memory back
      if (const auto error = parser.allocate(capacity, kMaxNesting)) {
        capacity = 0;
        return Fail(ErrorKind::kInternal, "no memory to parse {} bytes of JSON: {}", size,
                    simdjson::error_message(error));
      }
    }
    longest = std::max(longest, size);
    return {};
  }

  // simdjson counts the scalar inside the innermost scope too.
  static constexpr std::size_t kMaxNesting = JsonValue::kMaxDepth + 1;
};

namespace {

/// simdjson copies the last bytes of a document into its frame; of a Secret these may be the
/// secret.
[[gnu::noinline]] void WipeDeadFrames() {
  std::array<char, 4096> frame;
  std::memset(frame.data(), 0, frame.size());
  asm volatile("" : : "r"(frame.data()) : "memory");  // else nobody would read it, and it goes
}

}  // namespace

JsonParser::JsonParser() : state_(std::make_unique<State>()) {}
JsonParser::~JsonParser() = default;
JsonParser::JsonParser(JsonParser&&) noexcept = default;
JsonParser& JsonParser::operator=(JsonParser&&) noexcept = default;

Result<JsonValue> JsonParser::Parse(std::string_view text) {
  TRY(state_->Reserve(text.size()));
  // One copy into the padded buffer; the parser then works in place of allocating its own.
  text.copy(state_->buffer.get(), text.size());
  std::memset(state_->buffer.get() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
  simdjson::dom::element root;
  const auto error = state_->parser.parse(state_->buffer.get(), text.size(), false).get(root);
  WipeDeadFrames();
  if (error != simdjson::SUCCESS) {
    // simdjson says what, not where: the slow check finds the place.
    TRY(CheckJson(text, JsonValue::kMaxDepth));
    return Fail(ErrorKind::kDecode, "JSON: {}", simdjson::error_message(error));
  }
  const auto reference = std::bit_cast<tape_ref>(root);
  return JsonValue(reference.doc, reference.json_index);
}

}  // namespace tracekeeper::codec
