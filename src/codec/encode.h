#pragma once
// Encode writes a struct with Fields() as JSON, in the order of the list. What equals its default
// is left out, unless its field says `always` or `required`: a document says what differs.
//
// Threads:  pure functions.
// Failure:  none.

#include <concepts>
#include <utility>

#include "src/codec/fields.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::codec {

template <typename T>
void Encode(const T& value, JsonWriter& json);

namespace encode_internal {

template <Struct T>
void EncodeStruct(const T& value, JsonWriter& json) {
  [[maybe_unused]] static const T kDefault{};
  json.BeginObject();
  ForEachField<T>([&](const auto& field) {
    const auto& member = value.*field.member;
    const bool is_kept = field.options.always || field.options.required;
    if (!is_kept && member == kDefault.*field.member) return;
    json.Key(field.name);
    Encode(member, json);
  });
  json.EndObject();
}

}  // namespace encode_internal

template <typename T>
void Encode(const T& value, JsonWriter& json) {
  if constexpr (IsOptional<T>::value) {
    value ? Encode(*value, json) : static_cast<void>(json.Null());
  } else if constexpr (std::same_as<T, bool>) {
    json.Bool(value);
  } else if constexpr (std::integral<T>) {
    json.Integer(static_cast<std::int64_t>(value));
  } else if constexpr (std::same_as<T, double>) {
    json.Double(value);
  } else if constexpr (std::same_as<T, std::string>) {
    json.String(value);
  } else if constexpr (Enumeration<T>) {
    json.String(NameOfEnum(value));
  } else if constexpr (Text<T>) {
    json.String(TextScalar<T>::ToText(value));
  } else if constexpr (IsList<T>::value) {
    json.BeginArray();
    for (const auto& item : value) Encode(item, json);
    json.EndArray();
  } else if constexpr (IsMap<T>::value) {
    json.BeginObject();
    for (const auto& [key, item] : value) {
      json.Key(key);
      Encode(item, json);
    }
    json.EndObject();
  } else {
    static_assert(Struct<T>, "a member's type needs Fields(), ValuesOf() or a TextScalar");
    encode_internal::EncodeStruct(value, json);
  }
}

template <typename T>
std::string EncodeJson(const T& value) {
  JsonWriter json;
  Encode(value, json);
  return json.Take();
}

}  // namespace tracekeeper::codec
