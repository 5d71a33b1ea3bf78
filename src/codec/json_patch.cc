#include "src/codec/json_patch.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "src/codec/json_writer.h"

namespace tracekeeper::codec {
namespace {

using Kind = JsonValue::Kind;

// A document that can be changed. Scalars keep their JSON text.
struct Node {
  Kind kind = Kind::kNull;
  std::string scalar;
  std::vector<std::string> keys;  // of an object, beside children
  std::vector<Node> children;

  [[nodiscard]] bool is_container() const { return kind == Kind::kObject || kind == Kind::kArray; }
};

Node ToNode(const JsonValue& value) {
  Node node;
  node.kind = value.kind();
  if (node.kind == Kind::kObject) {
    for (const JsonMember& member : value.Members()) {
      // Of a key that stands twice the first counts, as for JsonValue.
      if (std::ranges::find(node.keys, member.key) != node.keys.end()) continue;
      node.keys.emplace_back(member.key);
      node.children.push_back(ToNode(member.value));
    }
  } else if (node.kind == Kind::kArray) {
    for (const JsonValue element : value.Elements()) node.children.push_back(ToNode(element));
  } else {
    node.scalar = value.ToJson();
  }
  return node;
}

void Write(const Node& node, JsonWriter& json) {
  if (node.kind == Kind::kObject) {
    json.BeginObject();
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      json.Key(node.keys[i]);
      Write(node.children[i], json);
    }
    json.EndObject();
  } else if (node.kind == Kind::kArray) {
    json.BeginArray();
    for (const Node& child : node.children) Write(child, json);
    json.EndArray();
  } else {
    json.Raw(node.scalar);
  }
}

bool Equal(const Node& a, const Node& b) {
  if (a.is_container() || b.is_container()) {
    if (a.kind != b.kind || a.children.size() != b.children.size()) return false;
    for (std::size_t i = 0; i < a.children.size(); ++i) {
      std::size_t other = i;
      if (a.kind == Kind::kObject) {
        const auto found = std::ranges::find(b.keys, a.keys[i]);
        if (found == b.keys.end()) return false;
        other = static_cast<std::size_t>(found - b.keys.begin());
      }
      if (!Equal(a.children[i], b.children[other])) return false;
    }
    return true;
  }
  return a.scalar == b.scalar;
}

std::optional<std::size_t> MemberIndex(const Node& object, std::string_view key) {
  const auto found = std::ranges::find(object.keys, key);
  if (found == object.keys.end()) return std::nullopt;
  return static_cast<std::size_t>(found - object.keys.begin());
}

// An index of RFC 6901: decimal digits without leading zeros.
std::optional<std::size_t> ParseIndex(std::string_view token) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool has_form = error == std::errc() && end == token.data() + token.size() &&
                        (token.size() == 1 || token.front() != '0');
  if (!has_form) return std::nullopt;
  return index;
}

// Where `token` points in `container`: an existing child.
Result<std::size_t> ChildIndex(const Node& container, std::string_view token) {
  if (container.kind == Kind::kObject) {
    if (const auto index = MemberIndex(container, token)) return *index;
    return Fail(ErrorKind::kInvalid, "there is no member \"{}\"", token);
  }
  if (container.kind != Kind::kArray) {
    return Fail(ErrorKind::kInvalid, "\"{}\" is looked up in a value that is no object or list",
                token);
  }
  const auto index = ParseIndex(token);
  if (!index) return Fail(ErrorKind::kInvalid, "\"{}\" is no index of a list", token);
  if (*index >= container.children.size()) {
    return Fail(ErrorKind::kInvalid, "index {} is beyond a list of {}", *index,
                container.children.size());
  }
  return *index;
}

Result<Node*> FindNode(Node& root, std::span<const std::string> tokens) {
  Node* node = &root;
  for (const std::string& token : tokens) node = &node->children[TRY(ChildIndex(*node, token))];
  return node;
}

using Pointer = std::vector<std::string>;

Status Add(Node& root, const Pointer& path, Node value) {
  if (path.empty()) {
    root = std::move(value);
    return {};
  }
  Node& parent = *TRY(FindNode(root, std::span(path).first(path.size() - 1)));
  const std::string& token = path.back();
  if (parent.kind == Kind::kObject) {
    if (const auto index = MemberIndex(parent, token)) {
      parent.children[*index] = std::move(value);
    } else {
      parent.keys.push_back(token);
      parent.children.push_back(std::move(value));
    }
    return {};
  }
  if (parent.kind == Kind::kArray &&
      (token == "-" || token == std::to_string(parent.children.size()))) {
    parent.children.push_back(std::move(value));
    return {};
  }
  const std::size_t index = TRY(ChildIndex(parent, token));
  parent.children.insert(parent.children.begin() + static_cast<std::ptrdiff_t>(index),
                         std::move(value));
  return {};
}

Status Remove(Node& root, const Pointer& path) {
  if (path.empty()) return Fail(ErrorKind::kInvalid, "the whole document cannot be removed");
  Node& parent = *TRY(FindNode(root, std::span(path).first(path.size() - 1)));
  const std::size_t index = TRY(ChildIndex(parent, path.back()));
  const auto at = static_cast<std::ptrdiff_t>(index);
  parent.children.erase(parent.children.begin() + at);
  if (parent.kind == Kind::kObject) parent.keys.erase(parent.keys.begin() + at);
  return {};
}

Result<Node> ValueOf(const JsonValue& operation) {
  const JsonValue value = operation["value"];
  if (!value) return Fail(ErrorKind::kDecode, "\"value\" is missing");
  return ToNode(value);
}

Status ApplyOne(Node& root, const JsonValue& operation, std::string_view name,
                std::string_view pointer) {
  const Pointer path = TRY(ParsePointer(pointer));
  if (path.size() > JsonValue::kMaxDepth) {
    return Fail(ErrorKind::kInvalid, "the path has more than {} steps", JsonValue::kMaxDepth);
  }
  if (name == "add") return Add(root, path, TRY(ValueOf(operation)));
  if (name == "replace") {
    *TRY(FindNode(root, path)) = TRY(ValueOf(operation));
    return {};
  }
  if (name == "remove") return Remove(root, path);
  if (name == "test") {
    if (Equal(*TRY(FindNode(root, path)), TRY(ValueOf(operation)))) return {};
    return Fail(ErrorKind::kInvalid, "the value there is another");
  }
  return Fail(ErrorKind::kDecode, "operations are add, remove, replace and test");
}

}  // namespace

void AppendPointerToken(std::string& pointer, std::string_view token) {
  pointer.push_back('/');
  for (const char c : token) {
    if (c == '~') {
      pointer.append("~0");
    } else if (c == '/') {
      pointer.append("~1");
    } else {
      pointer.push_back(c);
    }
  }
}

Result<std::vector<std::string>> ParsePointer(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (pointer.empty()) return tokens;
  if (pointer.front() != '/') {
    return Fail(ErrorKind::kInvalid, "the pointer \"{}\" does not begin with /", pointer);
  }
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
    } else if (pointer[i] != '~') {
      tokens.back().push_back(pointer[i]);
    } else {
      const char escape = i + 1 < pointer.size() ? pointer[++i] : '\0';
      if (escape != '0' && escape != '1') {
        return Fail(ErrorKind::kInvalid, "the pointer \"{}\" has a ~ that is not ~0 or ~1",
                    pointer);
      }
      tokens.back().push_back(escape == '0' ? '~' : '/');
    }
  }
  return tokens;
}

JsonValue FindPointer(JsonValue document, std::string_view pointer) {
  const auto tokens = ParsePointer(pointer);
  if (!tokens) return {};
  JsonValue value = document;
  for (const std::string& token : *tokens) {
    if (value.is_object()) {
      value = value[token];
      continue;
    }
    const auto index = ParseIndex(token);
    if (!index || *index >= value.size()) return {};
    auto element = value.Elements().begin();
    for (std::size_t i = 0; i < *index; ++i) ++element;
    value = *element;
  }
  return value;
}

Result<std::string> ApplyJsonPatch(JsonValue document, JsonValue patch) {
  if (!patch.is_array()) return Fail(ErrorKind::kDecode, "the patch is no list of operations");
  if (patch.size() > kMaxPatchOperations) {
    return Fail(ErrorKind::kInvalid, "the patch has {} operations, more than {}", patch.size(),
                kMaxPatchOperations);
  }
  Node root = ToNode(document);
  std::size_t index = 0;
  for (const JsonValue operation : patch.Elements()) {
    const auto name = operation["op"].String();
    const auto path = operation["path"].String();
    if (!name || !path) {
      return Fail(ErrorKind::kDecode, "patch operation {} has no \"op\" or no \"path\"", index);
    }
    Status applied = ApplyOne(root, operation, *name, *path);
    if (!applied) {
      return Fail(std::move(applied.error())
                      .Within(fmt::format("patch operation {} ({} {})", index, *name, *path)));
    }
    ++index;
  }
  JsonWriter json;
  Write(root, json);
  return json.Take();
}

Result<std::string> ApplyJsonPatch(std::string_view document, std::string_view patch) {
  JsonParser document_parser;
  JsonParser patch_parser;
  const JsonValue root = TRY(document_parser.Parse(document));
  return ApplyJsonPatch(root, TRY(patch_parser.Parse(patch)));
}

}  // namespace tracekeeper::codec
