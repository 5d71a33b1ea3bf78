#pragma once
// Decode reads a struct with Fields() from a document.
//
//   const Rollout rollout = TRY(Decode<Rollout>(json["spec"]["rollout"], "spec.rollout"));
//
// The document is any Cursor: JsonValue (simdjson) or YamlValue (yaml-cpp, for a program that must
// not carry simdjson). null counts as absent, unknown fields are skipped or reported.
//
// Threads:  pure functions.
// Failure:  kDecode with the path, what stands there and what may stand there.

#include <concepts>
#include <limits>
#include <utility>

#include "src/codec/fields.h"
#include "src/codec/json_value.h"

namespace tracekeeper::codec {

template <typename C>
concept Cursor = std::copyable<C> && requires(const C& cursor) {
  { cursor.kind() } -> std::same_as<JsonValue::Kind>;
  { cursor.String() } -> std::same_as<std::optional<std::string_view>>;
  { cursor.Integer() } -> std::same_as<std::optional<std::int64_t>>;
  { cursor.Double() } -> std::same_as<std::optional<double>>;
  { cursor.Bool() } -> std::same_as<std::optional<bool>>;
  cursor.Elements();
  cursor.Members();
};

template <typename T>
struct Decoded {
  T value;
  std::vector<std::string> unknown_fields;  // paths: "spec.export.endpiont"
};

/// Where in the document a decoder is: a list on the stack, made into text only for an error.
struct DecodePath {
  const DecodePath* parent = nullptr;
  std::string_view name;  // of a member; empty: an element
  std::size_t index = 0;  // of an element

  [[nodiscard]] std::string ToString() const;
};

namespace decode_internal {

struct Context {
  std::vector<std::string>* unknown_fields = nullptr;  // null: nobody wants to know
};

Status WrongType(const DecodePath& path, std::string_view wanted, JsonValue::Kind found);
Status OutOfRange(const DecodePath& path, std::int64_t value, std::int64_t low, std::int64_t high);
Status UnknownName(const DecodePath& path, std::string_view name,
                   std::span<const std::string_view> known);
Status Missing(const DecodePath& path);
Status BadText(const DecodePath& path, const Error& error);

template <typename T, Cursor C>
Status DecodeInto(const Context& context, const DecodePath& path, const C& value, T& out);

template <Struct T, Cursor C>
Status DecodeStruct(const Context& context, const DecodePath& path, const C& value, T& out) {
  if (value.kind() != JsonValue::Kind::kObject) return WrongType(path, "an object", value.kind());
  std::array<bool, std::tuple_size_v<decltype(kFieldsOf<T>)>> seen{};
  for (const auto& member : value.Members()) {
    Status status;
    bool known = false;
    std::size_t index = 0;
    const DecodePath below{&path, member.key, 0};
    const auto try_field = [&](const auto& field) {
      const std::size_t at = index++;
      if (known || field.name != member.key) return;
      known = true;
      if (seen[at] || member.value.kind() == JsonValue::Kind::kNull) return;  // the first one wins
      seen[at] = true;
      status = DecodeInto(context, below, member.value, out.*field.member);
    };
    ForEachField<T>(try_field);
    if (!status) return status;
    if (!known && context.unknown_fields != nullptr) {
      context.unknown_fields->push_back(below.ToString());
    }
  }
  Status status;
  std::size_t index = 0;
  ForEachField<T>([&](const auto& field) {
    const bool is_missing = field.options.required && !seen[index++];
    if (!field.options.required) ++index;
    if (status && is_missing) status = Missing({&path, field.name, 0});
  });
  return status;
}

template <typename T, Cursor C>
Status DecodeList(const Context& context, const DecodePath& path, const C& value, T& out) {
  if (value.kind() != JsonValue::Kind::kArray) return WrongType(path, "a list", value.kind());
  out.clear();
  std::size_t index = 0;
  for (const auto& element : value.Elements()) {
    typename T::value_type item{};
    TRY(DecodeInto(context, {&path, {}, index++}, element, item));
    out.push_back(std::move(item));
  }
  return {};
}

template <typename T, Cursor C>
Status DecodeMap(const Context& context, const DecodePath& path, const C& value, T& out) {
  if (value.kind() != JsonValue::Kind::kObject) return WrongType(path, "an object", value.kind());
  out.clear();
  for (const auto& member : value.Members()) {
    typename T::mapped_type item{};
    TRY(DecodeInto(context, {&path, member.key, 0}, member.value, item));
    out.emplace(std::string(member.key), std::move(item));
  }
  return {};
}

template <Enumeration T, Cursor C>
Status DecodeEnum(const DecodePath& path, const C& value, T& out) {
  const auto name = value.String();
  if (!name) return WrongType(path, "a string", value.kind());
  if (const auto found = EnumOfName<T>(*name)) {
    out = *found;
    return {};
  }
  constexpr auto kValues = ValuesOf(T{});
  std::array<std::string_view, kValues.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kValues[i].name;
  return UnknownName(path, *name, names);
}

template <Text T, Cursor C>
Status DecodeText(const DecodePath& path, const C& value, T& out) {
  auto text = value.String();
  std::string digits;
  if (!text && TextScalar<T>::kSchema.int_or_string) {
    if (const auto integer = value.Integer()) text = digits = std::to_string(*integer);
  }
  if (!text) return WrongType(path, "a string", value.kind());
  auto parsed = TextScalar<T>::FromText(*text);
  if (!parsed) return BadText(path, parsed.error());
  out = *std::move(parsed);
  return {};
}

template <typename T, Cursor C>
Status DecodeInto(const Context& context, const DecodePath& path, const C& value, T& out) {
  if constexpr (IsOptional<T>::value) {
    return DecodeInto(context, path, value, out.emplace());
  } else if constexpr (std::same_as<T, bool>) {
    const auto flag = value.Bool();
    if (!flag) return WrongType(path, "true or false", value.kind());
    out = *flag;
    return {};
  } else if constexpr (std::integral<T>) {
    const auto integer = value.Integer();
    if (!integer) return WrongType(path, "an integer", value.kind());
    if (!std::in_range<T>(*integer)) {
      return OutOfRange(path, *integer, std::numeric_limits<T>::min(),
                        std::numeric_limits<T>::max());
    }
    out = static_cast<T>(*integer);
    return {};
  } else if constexpr (std::same_as<T, double>) {
    const auto number = value.Double();
    if (!number) return WrongType(path, "a number", value.kind());
    out = *number;
    return {};
  } else if constexpr (std::same_as<T, std::string>) {
    const auto text = value.String();
    if (!text) return WrongType(path, "a string", value.kind());
    out = *text;
    return {};
  } else if constexpr (Enumeration<T>) {
    return DecodeEnum(path, value, out);
  } else if constexpr (Text<T>) {
    return DecodeText(path, value, out);
  } else if constexpr (IsList<T>::value) {
    return DecodeList(context, path, value, out);
  } else if constexpr (IsMap<T>::value) {
    return DecodeMap(context, path, value, out);
  } else {
    static_assert(Struct<T>, "a member's type needs Fields(), ValuesOf() or a TextScalar");
    return DecodeStruct(context, path, value, out);
  }
}

}  // namespace decode_internal

/// Reads a T. `root` is the path of `value` in errors; empty for a whole document. An absent value
/// gives the defaults.
template <typename T, Cursor C>
Result<T> Decode(const C& value, std::string_view root = {}) {
  T out{};
  const JsonValue::Kind kind = value.kind();
  if (kind == JsonValue::Kind::kMissing || kind == JsonValue::Kind::kNull) return out;
  TRY(decode_internal::DecodeInto({}, DecodePath{nullptr, root, 0}, value, out));
  return out;
}

/// The same, and names the fields that T does not know.
template <typename T, Cursor C>
Result<Decoded<T>> DecodeReportingUnknown(const C& value, std::string_view root = {}) {
  Decoded<T> out{};
  const JsonValue::Kind kind = value.kind();
  if (kind == JsonValue::Kind::kMissing || kind == JsonValue::Kind::kNull) return out;
  const decode_internal::Context context{&out.unknown_fields};
  TRY(decode_internal::DecodeInto(context, DecodePath{nullptr, root, 0}, value, out.value));
  return out;
}

}  // namespace tracekeeper::codec
