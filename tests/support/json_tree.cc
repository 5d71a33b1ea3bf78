#include "tests/support/json_tree.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tracekeeper::test_support {
namespace {

std::vector<std::string> SplitPointer(std::string_view pointer) {
  std::vector<std::string> steps;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);  // the slash
    const std::size_t next = std::min(pointer.find('/'), pointer.size());
    std::string step;
    for (std::size_t i = 0; i < next; ++i) {
      const bool is_escape = pointer[i] == '~' && i + 1 < next;
      if (!is_escape) {
        step += pointer[i];
        continue;
      }
      step += pointer[++i] == '1' ? '/' : '~';
    }
    steps.push_back(std::move(step));
    pointer.remove_prefix(next);
  }
  return steps;
}

std::optional<std::size_t> IndexOf(std::string_view step) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  if (error != std::errc() || end != step.data() + step.size()) return std::nullopt;
  return index;
}

JsonTree* Step(JsonTree& tree, std::string_view step) {
  if (tree.is_object()) return tree.Find(step);
  if (!tree.is_array()) return nullptr;
  const auto index = IndexOf(step);
  if (!index || *index >= tree.elements().size()) return nullptr;
  return &tree.elements()[*index];
}

bool Add(JsonTree& parent, const std::string& step, const JsonTree& value) {
  if (parent.is_object()) {
    parent[step] = value;
    return true;
  }
  if (!parent.is_array()) return false;
  auto& elements = parent.elements();
  const auto index = step == "-" ? elements.size() : IndexOf(step).value_or(elements.size() + 1);
  if (index > elements.size()) return false;
  elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(index), value);
  return true;
}

bool Remove(JsonTree& parent, const std::string& step) {
  if (parent.is_object()) return parent.Erase(step);
  const auto index = IndexOf(step);
  if (!parent.is_array() || !index || *index >= parent.elements().size()) return false;
  parent.elements().erase(parent.elements().begin() + static_cast<std::ptrdiff_t>(*index));
  return true;
}

bool ApplyOperation(JsonTree& target, const JsonTree& operation) {
  const std::string verb = operation.TextAt({"op"});
  const std::vector<std::string> steps = SplitPointer(operation.TextAt({"path"}));
  const JsonTree* value = operation.Find("value");
  const JsonTree null;
  if (value == nullptr) value = &null;
  if (steps.empty()) return false;
  JsonTree* parent = &target;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    parent = Step(*parent, steps[i]);
    if (parent == nullptr) return false;
  }
  JsonTree* found = Step(*parent, steps.back());
  if (verb == "add") return Add(*parent, steps.back(), *value);
  if (verb == "remove") return Remove(*parent, steps.back());
  if (found == nullptr) return false;
  if (verb == "test") return *found == *value;
  if (verb != "replace") return false;
  *found = *value;
  return true;
}

}  // namespace

JsonTree JsonTree::FromText(std::string text) {
  JsonTree tree;
  tree.kind_ = Kind::kString;
  tree.text_ = std::move(text);
  return tree;
}

JsonTree JsonTree::FromInteger(std::int64_t number) {
  JsonTree tree;
  tree.kind_ = Kind::kScalar;
  tree.text_ = std::to_string(number);
  return tree;
}

JsonTree JsonTree::EmptyObject() {
  JsonTree tree;
  tree.kind_ = Kind::kObject;
  return tree;
}

JsonTree JsonTree::EmptyArray() {
  JsonTree tree;
  tree.kind_ = Kind::kArray;
  return tree;
}

JsonTree JsonTree::From(codec::JsonValue value) {
  using ValueKind = codec::JsonValue::Kind;
  switch (value.kind()) {
    case ValueKind::kMissing:
    case ValueKind::kNull:
      return {};
    case ValueKind::kString:
      return FromText(std::string(*value.String()));
    case ValueKind::kArray: {
      JsonTree tree = EmptyArray();
      for (const codec::JsonValue element : value.Elements()) {
        tree.elements_.push_back(From(element));
      }
      return tree;
    }
    case ValueKind::kObject: {
      JsonTree tree = EmptyObject();
      for (const auto [key, member] : value.Members()) {
        tree.members_.emplace_back(std::string(key), From(member));
      }
      return tree;
    }
    default: {
      JsonTree tree;
      tree.kind_ = Kind::kScalar;
      tree.text_ = value.ToJson();
      return tree;
    }
  }
}

Result<JsonTree> JsonTree::Parse(std::string_view text) {
  codec::JsonParser parser;
  return From(TRY(parser.Parse(text)));
}

bool JsonTree::operator==(const JsonTree& other) const {
  if (kind_ != other.kind_ || text_ != other.text_ || elements_ != other.elements_) return false;
  if (members_.size() != other.members_.size()) return false;
  return std::all_of(members_.begin(), members_.end(), [&](const Member& member) {
    const JsonTree* same = other.Find(member.first);
    return same != nullptr && *same == member.second;
  });
}

std::string JsonTree::ToJson() const {
  codec::JsonWriter json;
  WriteTo(json);
  return json.Take();
}

void JsonTree::WriteTo(codec::JsonWriter& json) const {
  switch (kind_) {
    case Kind::kNull:
      json.Null();
      return;
    case Kind::kScalar:
      json.Raw(text_);
      return;
    case Kind::kString:
      json.String(text_);
      return;
    case Kind::kArray:
      json.BeginArray();
      for (const JsonTree& element : elements_) element.WriteTo(json);
      json.EndArray();
      return;
    case Kind::kObject:
      json.BeginObject();
      for (const auto& [key, member] : members_) {
        json.Key(key);
        member.WriteTo(json);
      }
      json.EndObject();
      return;
  }
}

const JsonTree* JsonTree::Find(std::string_view key) const {
  for (const auto& [name, member] : members_) {
    if (name == key) return &member;
  }
  return nullptr;
}

JsonTree* JsonTree::Find(std::string_view key) {
  return const_cast<JsonTree*>(std::as_const(*this).Find(key));
}

std::string JsonTree::TextAt(std::initializer_list<std::string_view> path) const {
  const JsonTree* tree = this;
  for (const std::string_view key : path) {
    tree = tree->Find(key);
    if (tree == nullptr) return "";
  }
  return tree->text();
}

JsonTree& JsonTree::operator[](std::string_view key) {
  if (JsonTree* found = Find(key)) return *found;
  if (!is_object()) *this = EmptyObject();
  return members_.emplace_back(std::string(key), JsonTree()).second;
}

bool JsonTree::Erase(std::string_view key) {
  return std::erase_if(members_, [&](const Member& member) { return member.first == key; }) > 0;
}

bool ApplyJsonPatch(JsonTree& target, const JsonTree& operations) {
  return operations.is_array() &&
         std::all_of(operations.elements().begin(), operations.elements().end(),
                     [&](const JsonTree& operation) { return ApplyOperation(target, operation); });
}

void ApplyMergePatch(JsonTree& target, const JsonTree& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = JsonTree::EmptyObject();
  for (const auto& [key, value] : patch.members()) {
    if (value.kind() == JsonTree::Kind::kNull) {
      target.Erase(key);
    } else {
      ApplyMergePatch(target[key], value);
    }
  }
}

}  // namespace tracekeeper::test_support
