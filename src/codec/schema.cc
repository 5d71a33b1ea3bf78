#include "src/codec/schema.h"

#include <algorithm>

namespace tracekeeper::codec {
namespace schema_internal {

void Apply(const FieldOptions& options, Schema& schema) {
  schema.doc = options.doc;
  schema.example = options.example;
  if (!options.format.empty()) schema.format = options.format;
  schema.minimum = options.minimum;
  schema.maximum = options.maximum;
  schema.min_length = options.min_length;
  if (options.max_length) schema.max_length = options.max_length;
  schema.min_items = options.min_items;
  schema.max_items = options.max_items;
  schema.max_properties = options.max_properties;
  schema.list_type = options.list_type;
  schema.list_key = options.list_key;
  schema.rules.insert(schema.rules.end(), options.rules.begin(), options.rules.end());
  if (schema.below.empty()) return;
  Schema& below = schema.below.front();
  if (options.item_max_length) below.max_length = options.item_max_length;
  if (options.item_minimum) below.minimum = options.item_minimum;
  if (options.item_maximum) below.maximum = options.item_maximum;
  below.rules.insert(below.rules.end(), options.item_rules.begin(), options.item_rules.end());
}

}  // namespace schema_internal

namespace {

std::string_view NameOf(Schema::Type type) {
  switch (type) {
    case Schema::Type::kObject:
      return "object";
    case Schema::Type::kArray:
      return "array";
    case Schema::Type::kString:
      return "string";
    case Schema::Type::kInteger:
      return "integer";
    case Schema::Type::kNumber:
      return "number";
    case Schema::Type::kBoolean:
      return "boolean";
    case Schema::Type::kIntOrString:
      return "int-or-string";
  }
  return "object";
}

std::string_view NameOf(ListType type) {
  switch (type) {
    case ListType::kAtomic:
      return "atomic";
    case ListType::kSet:
      return "set";
    case ListType::kMap:
      return "map";
  }
  return "atomic";
}

void WriteText(std::string_view key, std::string_view text, JsonWriter& json) {
  if (!text.empty()) json.Member(key, text);
}

void WriteBound(std::string_view key, const std::optional<std::int64_t>& bound, JsonWriter& json) {
  if (bound) json.Key(key).Integer(*bound);
}

void WriteType(const Schema& schema, JsonWriter& json) {
  if (schema.type != Schema::Type::kIntOrString) {
    json.Member("type", NameOf(schema.type));
    return;
  }
  json.Key("anyOf").BeginArray();
  json.BeginObject().Member("type", "integer").EndObject();
  json.BeginObject().Member("type", "string").EndObject();
  json.EndArray().Key("x-kubernetes-int-or-string").Bool(true);
}

void WriteProperties(const Schema& schema, JsonWriter& json) {
  if (schema.properties.empty()) return;
  const bool has_required = std::ranges::any_of(schema.properties, &SchemaProperty::is_required);
  if (has_required) {
    json.Key("required").BeginArray();
    for (const SchemaProperty& property : schema.properties) {
      if (property.is_required) json.String(property.name);
    }
    json.EndArray();
  }
  json.Key("properties").BeginObject();
  for (const SchemaProperty& property : schema.properties) {
    json.Key(property.name);
    WriteSchema(property.schema, json);
  }
  json.EndObject();
}

void WriteList(const Schema& schema, JsonWriter& json) {
  if (schema.type != Schema::Type::kArray) return;
  json.Member("x-kubernetes-list-type", NameOf(schema.list_type));
  if (schema.list_type == ListType::kMap) {
    json.Key("x-kubernetes-list-map-keys").BeginArray().String(schema.list_key).EndArray();
  }
  json.Key("items");
  WriteSchema(schema.below.front(), json);
}

void WriteRules(const Schema& schema, JsonWriter& json) {
  if (schema.rules.empty()) return;
  json.Key("x-kubernetes-validations").BeginArray();
  for (const Rule& rule : schema.rules) {
    json.BeginObject().Member("rule", rule.expression);
    WriteText("message", rule.message, json);
    WriteText("messageExpression", rule.message_expression, json);
    WriteText("fieldPath", rule.field_path, json);
    WriteText("reason", rule.reason, json);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

std::string DescriptionOf(const Schema& schema) {
  std::string text(schema.doc);
  bool is_first = true;
  for (const SchemaEnumValue& value : schema.values) {
    if (value.doc.empty()) continue;
    if (!text.empty()) text.append(" ");
    const bool is_default = is_first && !schema.default_json.empty();
    text.append(value.name)
        .append(is_default ? " (default): " : ": ")
        .append(value.doc)
        .append(".");
    is_first = false;
  }
  if (!schema.example.empty()) text.append(" Example: ").append(schema.example);
  return text;
}

void WriteSchema(const Schema& schema, JsonWriter& json) {
  json.BeginObject();
  WriteText("description", DescriptionOf(schema), json);
  WriteType(schema, json);
  WriteText("format", schema.format, json);
  if (!schema.default_json.empty()) json.Key("default").Raw(schema.default_json);
  if (!schema.values.empty()) {
    json.Key("enum").BeginArray();
    for (const SchemaEnumValue& value : schema.values) json.String(value.name);
    json.EndArray();
  }
  WriteBound("minimum", schema.minimum, json);
  WriteBound("maximum", schema.maximum, json);
  WriteBound("minLength", schema.min_length, json);
  WriteBound("maxLength", schema.max_length, json);
  WriteBound("minItems", schema.min_items, json);
  WriteBound("maxItems", schema.max_items, json);
  WriteBound("maxProperties", schema.max_properties, json);
  WriteProperties(schema, json);
  WriteList(schema, json);
  if (schema.is_map()) {
    json.Key("additionalProperties");
    WriteSchema(schema.below.front(), json);
  }
  WriteRules(schema, json);
  json.EndObject();
}

std::vector<std::string> FindUnbounded(const Schema& schema, std::string_view root) {
  std::vector<std::string> found;
  const bool is_text = schema.type == Schema::Type::kString && schema.values.empty();
  const bool has_no_bound = (is_text && !schema.max_length) ||
                            (schema.type == Schema::Type::kArray && !schema.max_items) ||
                            (schema.is_map() && !schema.max_properties);
  if (has_no_bound) found.emplace_back(root);
  const auto add = [&found](const Schema& below, const std::string& path) {
    const std::vector<std::string> more = FindUnbounded(below, path);
    found.insert(found.end(), more.begin(), more.end());
  };
  for (const SchemaProperty& property : schema.properties) {
    add(property.schema, std::string(root).append(".").append(property.name));
  }
  for (const Schema& below : schema.below) add(below, std::string(root).append("[]"));
  return found;
}

}  // namespace tracekeeper::codec
