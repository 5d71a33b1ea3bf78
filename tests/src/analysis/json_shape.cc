#include "tests/src/analysis/json_shape.h"

#include <fmt/format.h>

#include <algorithm>

namespace tracekeeper::analysis {
namespace {

using test_support::JsonTree;

std::string TypeOf(const JsonTree& value) {
  switch (value.kind()) {
    case JsonTree::Kind::kNull:
      return "null";
    case JsonTree::Kind::kString:
      return "string";
    case JsonTree::Kind::kArray:
      return "array";
    case JsonTree::Kind::kObject:
      return "object";
    case JsonTree::Kind::kScalar:
      break;
  }
  if (value.text() == "true" || value.text() == "false") return "boolean";
  const bool is_integer = value.text().find_first_of(".eE") == std::string::npos;
  return is_integer ? "integer" : "number";
}

bool Allows(const JsonTree& type, const std::string& found) {
  if (type.is_array()) {
    return std::ranges::any_of(type.elements(),
                               [&found](const JsonTree& one) { return Allows(one, found); });
  }
  return type.text() == found || (type.text() == "number" && found == "integer");
}

std::string MembersDifference(const JsonTree& schema, const JsonTree& value,
                              const JsonTree& document, const std::string& at) {
  std::string text;
  const JsonTree* properties = schema.Find("properties");
  const JsonTree* more = schema.Find("additionalProperties");
  if (properties == nullptr && more == nullptr) return text;
  for (const auto& [name, member] : value.members()) {
    const JsonTree* known = properties == nullptr ? nullptr : properties->Find(name);
    if (known == nullptr && more != nullptr && more->is_object()) known = more;
    if (known == nullptr) {
      text += fmt::format("{}.{}: not described\n", at, name);
    } else {
      text += DifferenceFrom(*known, member, document, fmt::format("{}.{}", at, name));
    }
  }
  const JsonTree* required = schema.Find("required");
  for (const JsonTree& name :
       required == nullptr ? std::vector<JsonTree>() : required->elements()) {
    if (value.Find(name.text()) == nullptr)
      text += fmt::format("{}.{}: missing\n", at, name.text());
  }
  return text;
}

}  // namespace

std::string DifferenceFrom(const JsonTree& schema, const JsonTree& value, const JsonTree& document,
                           const std::string& at) {
  if (const JsonTree* reference = schema.Find("$ref")) {
    const std::string name = reference->text().substr(reference->text().rfind('/') + 1);
    const JsonTree* named = document.Find("components")->Find("schemas")->Find(name);
    if (named == nullptr) return fmt::format("{}: no schema {}\n", at, name);
    return DifferenceFrom(*named, value, document, at);
  }
  const std::string found = TypeOf(value);
  const JsonTree* type = schema.Find("type");
  if (type != nullptr && !Allows(*type, found)) {
    return fmt::format("{}: {}, not {}\n", at, found, type->ToJson());
  }
  const JsonTree* names = schema.Find("enum");
  const bool is_named =
      names == nullptr || std::ranges::any_of(names->elements(), [&value](const JsonTree& name) {
        return name.text() == value.text();
      });
  if (!is_named) return fmt::format("{}: {} is no {}\n", at, value.text(), names->ToJson());
  std::string text;
  if (value.is_object()) text += MembersDifference(schema, value, document, at);
  const JsonTree* items = schema.Find("items");
  for (const JsonTree& element : value.elements()) {
    if (items != nullptr) text += DifferenceFrom(*items, element, document, at + "[]");
  }
  return text;
}

}  // namespace tracekeeper::analysis
