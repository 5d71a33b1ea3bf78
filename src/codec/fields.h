#pragma once
// Fields: each struct of a document lists its members once, and decoder, encoder, schema and
// reference documentation come from that list.
//
//   struct Rollout {
//     RolloutStrategy strategy = RolloutStrategy::kNone;
//     std::int64_t max_concurrent = 1;
//
//     static consteval auto Fields() {
//       return std::tuple{
//           Field("strategy", &Rollout::strategy, {.doc = "How old pods are renewed."}),
//           Field("maxConcurrent", &Rollout::max_concurrent, {.doc = "...", .minimum = 1}),
//       };
//     }
//     static constexpr std::array kRules = {Rule{.expression = "...", .message = "..."}};  //
//     optional
//   };
//
// A member's type says its JSON type: bool, integers, double, std::string, enumerations with
// ValuesOf(), types with a TextScalar, std::optional, std::vector, std::map from strings, and
// structs with Fields(). The member's initializer is its default.
//
// decode.h, encode.h and schema.h hold what is derived; include what you use.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "src/base/result.h"

namespace tracekeeper::codec {

/// How server-side apply merges a list: as one value, by element, or by the element's `list_key`.
enum class ListType : std::uint8_t { kAtomic, kSet, kMap };

/// One CEL rule of the schema. Exactly one of message and message_expression is set.
struct Rule {
  std::string_view expression;
  std::string_view message;
  std::string_view message_expression;  // CEL that gives the sentence
  std::string_view field_path;          // where the sentence points, relative: ".overlap"
  std::string_view reason;  // FieldValueInvalid (default), ...Required, ...Forbidden, ...
};

struct FieldOptions {
  std::string_view doc;
  bool required = false;  // must be there
  bool always = false;    // written even where it equals its default
  std::optional<std::int64_t> minimum;
  std::optional<std::int64_t> maximum;
  std::optional<std::int64_t> min_length;  // of a string
  std::optional<std::int64_t> max_length;
  std::optional<std::int64_t> min_items;  // of a list
  std::optional<std::int64_t> max_items;
  std::optional<std::int64_t> max_properties;   // of a map
  std::optional<std::int64_t> item_max_length;  // of the strings in a list or map
  std::optional<std::int64_t> item_minimum;     // of the integers in a list
  std::optional<std::int64_t> item_maximum;
  ListType list_type = ListType::kAtomic;
  std::string_view list_key;  // of a ListType::kMap
  std::string_view format;
  std::string_view example;          // for the reference documentation: YAML on one line
  std::span<const Rule> rules;       // beside those of the type
  std::span<const Rule> item_rules;  // of the elements of a list, of the values of a map
  bool schema_default = true;  // false: the schema does not name the default (kept for old objects)
};

template <typename Class, typename Member>
struct Field {
  using Type = Member;

  consteval Field(std::string_view field_name, Member Class::* field_member,
                  FieldOptions field_options = {})
      : name(field_name), member(field_member), options(field_options) {}

  std::string_view name;
  Member Class::* member;
  FieldOptions options;
};

/// One name of an enumeration. ValuesOf(E), found beside the enumeration, lists them; the first is
/// the default.
///
///   consteval auto ValuesOf(Heal) {
///     return std::array{EnumValue{Heal::kOff, "Off", "..."}, ...};
///   }
template <typename E>
struct EnumValue {
  E value;
  std::string_view name;
  std::string_view doc;
};

template <typename E>
concept Enumeration = std::is_enum_v<E> && requires(E value) { ValuesOf(value); };

/// The name of `value` in documents; empty for a value that has none.
template <Enumeration E>
constexpr std::string_view NameOfEnum(E value) {
  for (const auto& entry : ValuesOf(E{})) {
    if (entry.value == value) return entry.name;
  }
  return {};
}

template <Enumeration E>
constexpr std::optional<E> EnumOfName(std::string_view name) {
  for (const auto& entry : ValuesOf(E{})) {
    if (entry.name == name) return entry.value;
  }
  return std::nullopt;
}

/// Types that are text in a document (durations, quantities, timestamps). A specialisation has
///   static Result<T> FromText(std::string_view text);   // the error says what to write instead
///   static std::string ToText(const T& value);          // canonical
///   static constexpr TextSchema kSchema;
template <typename T>
struct TextScalar;

struct TextSchema {
  std::int64_t max_length = 0;
  std::string_view format;
  bool int_or_string = false;  // a bare number is taken as its text
  std::span<const Rule> rules;
};

template <typename T>
concept Text = requires(const T& value) {
  { TextScalar<T>::FromText(std::string_view()) } -> std::same_as<Result<T>>;
  { TextScalar<T>::ToText(value) } -> std::same_as<std::string>;
};

/// The fields of T: its own Fields(), or a specialisation for a struct of another folder.
template <typename T>
struct FieldList;

template <typename T>
  requires requires { T::Fields(); }
struct FieldList<T> {
  static consteval auto Fields() { return T::Fields(); }
};

template <typename T>
concept Struct = requires { FieldList<T>::Fields(); };

template <Struct T>
inline constexpr auto kFieldsOf = FieldList<T>::Fields();

/// Calls `visit(field)` for each field of T, in order.
template <Struct T, typename Visit>
constexpr void ForEachField(Visit&& visit) {
  std::apply([&](const auto&... field) { (visit(field), ...); }, kFieldsOf<T>);
}

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <typename T>
struct IsList : std::false_type {};
template <typename T>
struct IsList<std::vector<T>> : std::true_type {};

template <typename T>
struct IsMap : std::false_type {};
template <typename T, typename Compare>
struct IsMap<std::map<std::string, T, Compare>> : std::true_type {};

}  // namespace tracekeeper::codec
