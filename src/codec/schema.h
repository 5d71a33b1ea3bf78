#pragma once
// Schema is what a struct with Fields() looks like to the API server: OpenAPI v3 in the structural
// form of CustomResourceDefinitions, with docs, defaults, bounds, list types and CEL rules.
//
//   const Schema spec = SchemaOf<TracingPolicySpec>();
//   WriteSchema(spec, json);
//
// Threads:  values and pure functions.
// Failure:  none; a list, map or string without a bound is a bug that FindUnbounded() names.

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/codec/encode.h"
#include "src/codec/fields.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::codec {

struct SchemaProperty;

struct SchemaEnumValue {
  std::string_view name;
  std::string_view doc;
};

struct Schema {
  enum class Type { kObject, kArray, kString, kInteger, kNumber, kBoolean, kIntOrString };

  Type type = Type::kObject;
  std::string_view doc;
  std::string_view format;
  std::string_view example;
  std::string default_json;  // empty: none
  std::vector<SchemaEnumValue> values;
  std::optional<std::int64_t> minimum, maximum;
  std::optional<std::int64_t> min_length, max_length;
  std::optional<std::int64_t> min_items, max_items;
  std::optional<std::int64_t> max_properties;
  ListType list_type = ListType::kAtomic;
  std::string_view list_key;
  std::vector<SchemaProperty> properties;
  std::vector<Schema> below;  // one: of an array's items or a map's values
  std::vector<Rule> rules;

  [[nodiscard]] bool is_map() const { return type == Type::kObject && !below.empty(); }
};

struct SchemaProperty {
  std::string_view name;
  Schema schema;
  bool is_required = false;
};

namespace schema_internal {

/// Defaults stand everywhere but inside atomic lists, where they would make two equal lists differ.
enum class Defaults { kGiven, kLeftOut };

template <typename T>
Schema Build(Defaults defaults);

template <typename T>
bool HasSchemaDefault(const T& value) {
  if constexpr (IsOptional<T>::value || IsMap<T>::value || std::same_as<T, bool>) {
    return false;
  } else if constexpr (std::integral<T>) {
    return value != 0;
  } else if constexpr (IsList<T>::value || std::same_as<T, std::string>) {
    return !value.empty();
  } else {
    return Enumeration<T> || Text<T>;
  }
}

void Apply(const FieldOptions& options, Schema& schema);

template <Struct T>
void AddProperties(Defaults defaults, Schema& schema) {
  const T initial{};
  ForEachField<T>([&](const auto& field) {
    using Member = typename std::remove_cvref_t<decltype(field)>::Type;
    const bool is_atomic = IsList<Member>::value && field.options.list_type == ListType::kAtomic;
    SchemaProperty property{field.name, Build<Member>(is_atomic ? Defaults::kLeftOut : defaults),
                            field.options.required};
    Apply(field.options, property.schema);
    const Member& value = initial.*field.member;
    if (defaults == Defaults::kGiven && field.options.schema_default && !field.options.required &&
        HasSchemaDefault(value)) {
      property.schema.default_json = EncodeJson(value);
    }
    schema.properties.push_back(std::move(property));
  });
  if constexpr (requires { T::kRules; }) {
    schema.rules.insert(schema.rules.end(), T::kRules.begin(), T::kRules.end());
  }
}

template <typename T>
Schema Build(Defaults defaults) {
  Schema schema;
  if constexpr (IsOptional<T>::value) {
    return Build<typename T::value_type>(defaults);
  } else if constexpr (std::same_as<T, bool>) {
    schema.type = Schema::Type::kBoolean;
  } else if constexpr (std::integral<T>) {
    schema.type = Schema::Type::kInteger;
    schema.format = sizeof(T) > sizeof(std::int32_t) ? "int64" : "int32";
  } else if constexpr (std::same_as<T, double>) {
    schema.type = Schema::Type::kNumber;
  } else if constexpr (std::same_as<T, std::string>) {
    schema.type = Schema::Type::kString;
  } else if constexpr (Enumeration<T>) {
    schema.type = Schema::Type::kString;
    for (const auto& entry : ValuesOf(T{})) schema.values.push_back({entry.name, entry.doc});
  } else if constexpr (Text<T>) {
    constexpr TextSchema kText = TextScalar<T>::kSchema;
    schema.type = kText.int_or_string ? Schema::Type::kIntOrString : Schema::Type::kString;
    schema.format = kText.format;
    if (!kText.int_or_string) schema.max_length = kText.max_length;
    schema.rules.assign(kText.rules.begin(), kText.rules.end());
  } else if constexpr (IsList<T>::value) {
    schema.type = Schema::Type::kArray;
    schema.below.push_back(Build<typename T::value_type>(defaults));
  } else if constexpr (IsMap<T>::value) {
    schema.below.push_back(Build<typename T::mapped_type>(defaults));
  } else {
    AddProperties<T>(defaults, schema);
  }
  return schema;
}

}  // namespace schema_internal

template <Struct T>
Schema SchemaOf() {
  return schema_internal::Build<T>(schema_internal::Defaults::kGiven);
}

/// The sentence of `doc` with what an enumeration's values mean, as `kubectl explain` shows it.
std::string DescriptionOf(const Schema& schema);

/// Writes `schema` as an object of OpenAPI v3.
void WriteSchema(const Schema& schema, JsonWriter& json);

/// Paths of lists, maps and strings that have no upper bound. "metadata" is the API server's.
std::vector<std::string> FindUnbounded(const Schema& schema, std::string_view root);

}  // namespace tracekeeper::codec
