#include "tools/crdgen/reference.h"

#include <fmt/format.h>

#include "src/codec/json_writer.h"

namespace tracekeeper::crdgen {
namespace {

using codec::Schema;
using codec::SchemaProperty;

std::string TypeOf(const Schema& schema) {
  switch (schema.type) {
    case Schema::Type::kObject:
      return schema.is_map() ? "map of " + TypeOf(schema.below.front()) : "object";
    case Schema::Type::kArray:
      return "list of " + TypeOf(schema.below.front());
    case Schema::Type::kString:
      return schema.values.empty() ? "string" : "enumeration";
    case Schema::Type::kInteger:
      return "integer";
    case Schema::Type::kNumber:
      return "number";
    case Schema::Type::kBoolean:
      return "boolean";
    case Schema::Type::kIntOrString:
      return "integer or string";
  }
  return "object";
}

std::string BoundsOf(const Schema& schema) {
  std::string text;
  const auto add = [&text](std::string_view word, const std::optional<std::int64_t>& bound,
                           std::string_view unit) {
    if (!bound) return;
    if (!text.empty()) text.append(", ");
    text.append(fmt::format("{} {}{}", word, *bound, unit));
  };
  add("at least", schema.minimum, "");
  add("at most", schema.maximum, "");
  add("at least", schema.min_length, " characters");
  add("at most", schema.max_length, " characters");
  add("at least", schema.min_items, " items");
  add("at most", schema.max_items, " items");
  add("at most", schema.max_properties, " members");
  return text;
}

// One row of a table may not hold a line break or a bare bar.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell.push_back('\\');
    cell.push_back(c == '\n' ? ' ' : c);
  }
  return cell;
}

std::string NameCell(const SchemaProperty& property) {
  return fmt::format("`{}`{}", property.name, property.is_required ? " (required)" : "");
}

std::string DocCell(const Schema& schema) {
  std::string text = codec::DescriptionOf(schema);
  const std::string bounds = BoundsOf(schema);
  if (!bounds.empty()) text.append(" (").append(bounds).append(")");
  return Cell(text);
}

const Schema* ObjectBelow(const Schema& schema) {
  if (schema.type == Schema::Type::kObject && !schema.is_map()) return &schema;
  if (!schema.below.empty()) return ObjectBelow(schema.below.front());
  return nullptr;
}

// The sentence of a rule. CEL such as 'ratio "' + self + '" must be' becomes ratio "<value>" must
// be; what chooses between sentences stays CEL.
std::string SentenceOf(const codec::Rule& rule) {
  if (!rule.message.empty()) return Cell(rule.message);
  std::string text(rule.message_expression);
  const bool is_chain =
      text.starts_with('\'') && text.ends_with('\'') && text.find(" ? ") == std::string::npos;
  if (!is_chain) return fmt::format("`{}`", Cell(text));
  text = text.substr(1, text.size() - 2);
  for (std::size_t at = text.find("' + "); at != std::string::npos; at = text.find("' + ", at)) {
    const std::size_t end = text.find(" + '", at);
    std::string name = text.substr(at + 4, end - at - 4);
    if (name.starts_with("self.join")) name = "self";
    if (const std::size_t join = name.find(".join("); join != std::string::npos) name.resize(join);
    name = name == "self" ? "value" : name.substr(name.rfind('.') + 1);
    text.replace(at, end + 4 - at, fmt::format("&lt;{}&gt;", name));
  }
  return Cell(text);
}

void AppendRules(const Schema& schema, std::string_view path, std::string& out) {
  for (const codec::Rule& rule : schema.rules) {
    const std::string where = fmt::format("{}{}", path, rule.field_path);
    out.append(where.empty() ? "- " : fmt::format("- `{}`: ", where));
    out.append(SentenceOf(rule)).append("\n");
  }
  for (const SchemaProperty& property : schema.properties) {
    AppendRules(property.schema, fmt::format("{}.{}", path, property.name), out);
  }
  for (const Schema& below : schema.below) AppendRules(below, fmt::format("{}[]", path), out);
}

void AppendSection(const Schema& schema, const std::string& path, std::string& out) {
  out.append(fmt::format("\n### {}\n\n", path));
  if (!schema.doc.empty()) out.append(fmt::format("{}\n\n", schema.doc));
  out.append("| field | type | default | meaning |\n|---|---|---|---|\n");
  const Schema& object = *ObjectBelow(schema);
  for (const SchemaProperty& property : object.properties) {
    const std::string& initial = property.schema.default_json;
    out.append(fmt::format("| {} | {} | {} | {} |\n", NameCell(property), TypeOf(property.schema),
                           initial.empty() ? "" : fmt::format("`{}`", Cell(initial)),
                           DocCell(property.schema)));
  }
  for (const SchemaProperty& property : object.properties) {
    if (ObjectBelow(property.schema) == nullptr) continue;
    const bool is_list = property.schema.type == Schema::Type::kArray;
    AppendSection(property.schema, fmt::format("{}.{}{}", path, property.name, is_list ? "[]" : ""),
                  out);
  }
}

}  // namespace

std::string ReferencePage(const CustomResource& resource, std::string_view example_yaml) {
  std::string page = fmt::format(
      "<!-- Generated by tools/crdgen from operator/api: change it there, then `make gen`. -->\n"
      "# {} ({}/{})\n\n{}\n\n`kubectl explain {} --recursive` shows the same from a cluster.\n",
      resource.kind, resource.group, resource.version, resource.doc, resource.plural);
  if (!example_yaml.empty()) page.append(fmt::format("\n```yaml\n{}```\n", example_yaml));
  page.append("\n## Fields\n");
  AppendSection(resource.spec, "spec", page);
  AppendSection(resource.status, "status", page);
  page.append(
      "\n## Refused at apply\n\nBeside types, bounds and enumerations, the API server refuses what "
      "could not work, with these sentences:\n\n");
  Schema root;
  root.rules = resource.rules;
  AppendRules(root, "", page);
  AppendRules(resource.spec, "spec", page);
  return page;
}

}  // namespace tracekeeper::crdgen
