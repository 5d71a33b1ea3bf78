#include "src/codec/yaml.h"

#include "src/codec/yaml_builder.h"
#include "src/codec/yaml_tree.h"

namespace tracekeeper::codec {

YamlValue::Kind YamlValue::kind() const {
  return tree_ == nullptr ? Kind::kMissing : tree_->nodes[node_].kind;
}

YamlValue YamlValue::operator[](std::string_view key) const {
  for (const YamlMember& member : Members()) {
    if (member.key == key) return member.value;
  }
  return {};
}

std::optional<std::string_view> YamlValue::String() const {
  if (kind() != Kind::kString) return std::nullopt;
  return tree_->TextOf(node_);
}

std::string_view YamlValue::StringOr(std::string_view fallback) const {
  return String().value_or(fallback);
}

std::optional<std::int64_t> YamlValue::Integer() const {
  if (kind() != Kind::kInteger) return std::nullopt;
  return tree_->nodes[node_].integer;
}

std::optional<double> YamlValue::Double() const {
  if (const auto integer = Integer()) return static_cast<double>(*integer);
  if (kind() != Kind::kDouble) return std::nullopt;
  return tree_->nodes[node_].number;
}

std::optional<bool> YamlValue::Bool() const {
  if (kind() != Kind::kBool) return std::nullopt;
  return tree_->nodes[node_].flag;
}

YamlElements YamlValue::Elements() const {
  if (kind() != Kind::kArray) return {{nullptr, 0}, {nullptr, 0}};
  const YamlTree::Node& node = tree_->nodes[node_];
  return {{tree_, node.begin}, {tree_, std::size_t{node.begin} + node.count}};
}

YamlMembers YamlValue::Members() const {
  if (kind() != Kind::kObject) return {{nullptr, 0}, {nullptr, 0}};
  const YamlTree::Node& node = tree_->nodes[node_];
  return {{tree_, node.begin}, {tree_, std::size_t{node.begin} + node.count}};
}

std::size_t YamlValue::line() const { return tree_ == nullptr ? 0 : tree_->nodes[node_].line; }

YamlValue YamlElements::Iterator::operator*() const { return {tree_, tree_->children[at_]}; }

YamlMember YamlMembers::Iterator::operator*() const {
  return {tree_->TextOf(tree_->children[at_]), YamlValue(tree_, tree_->children[at_ + 1])};
}

void YamlValue::WriteTo(JsonWriter& json) const {
  switch (kind()) {
    case Kind::kMissing:
    case Kind::kNull:
      json.Null();
      return;
    case Kind::kBool:
      json.Bool(*Bool());
      return;
    case Kind::kInteger:
      json.Integer(*Integer());
      return;
    case Kind::kDouble:
      json.Double(*Double());
      return;
    case Kind::kString:
      json.String(*String());
      return;
    case Kind::kArray:
      json.BeginArray();
      for (const YamlValue& element : Elements()) element.WriteTo(json);
      json.EndArray();
      return;
    case Kind::kObject:
      json.BeginObject();
      for (const YamlMember& member : Members()) {
        json.Key(member.key);
        member.value.WriteTo(json);
      }
      json.EndObject();
      return;
  }
}

std::string YamlValue::ToJson() const {
  JsonWriter json;
  WriteTo(json);
  return json.Take();
}

YamlParser::YamlParser() : tree_(std::make_unique<YamlTree>()) {}
YamlParser::~YamlParser() = default;
YamlParser::YamlParser(YamlParser&&) noexcept = default;
YamlParser& YamlParser::operator=(YamlParser&&) noexcept = default;

Result<YamlValue> YamlParser::Parse(std::string_view text) {
  const std::vector<YamlValue> documents = TRY(ParseAll(text));
  if (documents.size() > 1) {
    return Fail(ErrorKind::kDecode, "YAML, line {}: a second document; one is expected here",
                documents[1].line());
  }
  if (!documents.empty()) return documents.front();
  tree_->nodes.assign(1, {});
  return YamlValue(tree_.get(), 0);
}

Result<std::vector<YamlValue>> YamlParser::ParseAll(std::string_view text) {
  TRY(BuildYamlTree(text, *tree_));
  std::vector<YamlValue> documents;
  for (const std::uint32_t root : tree_->roots) {
    const YamlValue document(tree_.get(), root);
    if (document.kind() != YamlValue::Kind::kNull) documents.push_back(document);
  }
  return documents;
}

Result<std::vector<std::string>> YamlToJson(std::string_view text) {
  YamlParser parser;
  std::vector<std::string> documents;
  for (const YamlValue& document : TRY(parser.ParseAll(text))) {
    documents.push_back(document.ToJson());
  }
  return documents;
}

}  // namespace tracekeeper::codec
