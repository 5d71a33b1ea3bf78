#include "src/codec/yaml_builder.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <iterator>
#include <span>
#include <streambuf>
#include <unordered_map>
#include <utility>

#include "src/codec/json_check.h"
#include "src/codec/yaml.h"
#include "src/codec/yaml_scalar.h"

namespace tracekeeper::codec {
namespace {

using Kind = JsonValue::Kind;
using NodeId = std::uint32_t;

// Leaves yaml-cpp from inside an event; caught in BuildYamlTree.
/// yaml-cpp 0.7 makes a single byte of the escapes \N and \_, where UTF-8 has two. All else that it
/// gives is UTF-8, so a byte that begins no sequence is one of these.
std::string WithWholeEscapes(const std::string& text) {
  std::string whole;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = Utf8SequenceLength(text, i);
    if (length == 0) whole += '\xC2';
    whole.append(text, i, std::max<std::size_t>(length, 1));
    i += std::max<std::size_t>(length, 1);
  }
  return whole;
}

struct Refusal {
  std::size_t line;
  std::string message;
};

// Reads from the caller's text without a copy.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // streambuf's interface; never written
    setg(begin, begin, begin + text.size());
  }
};

std::uint32_t LineOf(const YAML::Mark& mark) { return static_cast<std::uint32_t>(mark.line + 1); }

class Builder : public YAML::EventHandler {
 public:
  explicit Builder(YamlTree& tree) : tree_(tree) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    // Before a stray ',' yaml-cpp finds one empty document after the other and never ends.
    if (mark.pos == document_position_) {
      throw Refusal{LineOf(mark), "neither a value nor the end of the document"};
    }
    document_position_ = mark.pos;
    anchors_.clear();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (IsKeyNext()) throw Refusal{LineOf(mark), "a key is null; write it in quotes"};
    Finish(NewNode(Kind::kNull, LineOf(mark)), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Refusal{LineOf(mark), "an alias stands inside the value of its own anchor"};
    }
    if (IsKeyNext() && tree_.nodes[found->second].kind != Kind::kString) {
      throw Refusal{LineOf(mark), "an alias is used as a key and is not a string"};
    }
    Place(found->second);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const std::uint32_t line = LineOf(mark);
    const std::string text = WithWholeEscapes(value);
    const NodeId node = IsKeyNext() ? KeyNode(line, tag, text) : ScalarNode(line, tag, text);
    Finish(node, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Begin(Kind::kArray, LineOf(mark), tag, "seq", anchor);
  }
  void OnSequenceEnd() override { End(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Begin(Kind::kObject, LineOf(mark), tag, "map", anchor);
  }
  void OnMapEnd() override { End(); }

 private:
  static constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

  struct Frame {
    NodeId node;
    std::size_t first_child;  // in pending_
    YAML::anchor_t anchor;
    bool has_merge = false;
  };

  [[nodiscard]] bool IsKeyNext() const {
    return !frames_.empty() && tree_.nodes[frames_.back().node].kind == Kind::kObject &&
           (pending_.size() - frames_.back().first_child) % 2 == 0;
  }

  NodeId NewNode(Kind kind, std::uint32_t line) {
    if (tree_.nodes.size() >= kYamlMaxNodes) RefuseSize(line);
    tree_.nodes.push_back({.kind = kind, .line = line});
    return static_cast<NodeId>(tree_.nodes.size() - 1);
  }

  NodeId TextNode(std::uint32_t line, std::string_view value) {
    const NodeId id = NewNode(Kind::kString, line);
    tree_.nodes[id].begin = static_cast<std::uint32_t>(tree_.text.size());
    tree_.nodes[id].count = static_cast<std::uint32_t>(value.size());
    tree_.text.append(value);
    return id;
  }

  // The type of a scalar: what its tag says, else what a plain one looks like. yaml-cpp gives "!"
  // for a quoted and "?" for a plain scalar.
  static YamlScalar TypeOf(std::uint32_t line, const std::string& tag, const std::string& value) {
    if (tag == "?") return ResolveYamlScalar(value);
    if (tag == "!" || tag == std::string(kTagPrefix) + "str") return YamlText{};
    const YamlScalar scalar = ResolveYamlScalar(value);
    const std::string_view name =
        tag.starts_with(kTagPrefix) ? std::string_view(tag).substr(kTagPrefix.size()) : "";
    const bool fits = (name == "int" && std::holds_alternative<std::int64_t>(scalar)) ||
                      (name == "bool" && std::holds_alternative<bool>(scalar)) ||
                      (name == "null" && std::holds_alternative<YamlNull>(scalar)) ||
                      (name == "float" && (std::holds_alternative<double>(scalar) ||
                                           std::holds_alternative<std::int64_t>(scalar)));
    if (!fits) throw Refusal{line, fmt::format("the tag {} does not fit here", tag)};
    return scalar;
  }

  NodeId ScalarNode(std::uint32_t line, const std::string& tag, const std::string& value) {
    const YamlScalar scalar = TypeOf(line, tag, value);
    if (std::holds_alternative<YamlText>(scalar)) return TextNode(line, value);
    if (std::holds_alternative<YamlNotFinite>(scalar)) {
      throw Refusal{line, fmt::format("{} is a number that JSON cannot carry", value)};
    }
    const NodeId id = NewNode(Kind::kNull, line);
    YamlTree::Node& node = tree_.nodes[id];
    if (const auto* flag = std::get_if<bool>(&scalar)) {
      node.kind = Kind::kBool;
      node.flag = *flag;
    } else if (const auto* integer = std::get_if<std::int64_t>(&scalar)) {
      node.kind = Kind::kInteger;
      node.integer = *integer;
    } else if (const auto* number = std::get_if<double>(&scalar)) {
      node.kind = Kind::kDouble;
      node.number = *number;
    }
    return id;
  }

  // Keys are strings in JSON: kubectl writes true and 8080 as text, too.
  NodeId KeyNode(std::uint32_t line, const std::string& tag, const std::string& value) {
    if (tag == "?" && value == "<<") frames_.back().has_merge = true;
    const YamlScalar scalar = TypeOf(line, tag, value);
    if (const auto* flag = std::get_if<bool>(&scalar)) {
      return TextNode(line, *flag ? "true" : "false");
    }
    if (const auto* integer = std::get_if<std::int64_t>(&scalar)) {
      return TextNode(line, std::to_string(*integer));
    }
    if (const auto* number = std::get_if<double>(&scalar)) {
      return TextNode(line, fmt::format("{}", *number));
    }
    if (std::holds_alternative<YamlText>(scalar)) return TextNode(line, value);
    throw Refusal{line, "a key is no text; write it in quotes"};
  }

  void Begin(Kind kind, std::uint32_t line, const std::string& tag, std::string_view tag_name,
             YAML::anchor_t anchor) {
    if (IsKeyNext()) throw Refusal{line, "a list or map is used as a key"};
    if (tag != "?" && tag != "!" && !tag.empty() &&
        tag != std::string(kTagPrefix).append(tag_name)) {
      throw Refusal{line, fmt::format("the tag {} does not fit here", tag)};
    }
    if (frames_.size() >= JsonValue::kMaxDepth) RefuseDepth(line);
    frames_.push_back({NewNode(kind, line), pending_.size(), anchor});
  }

  void End() {
    const Frame frame = frames_.back();
    if (frame.has_merge) Merge(frame);
    if (tree_.nodes[frame.node].kind == Kind::kObject) RefuseRepeatedKeys(frame);
    YamlTree::Node& node = tree_.nodes[frame.node];
    node.begin = static_cast<std::uint32_t>(tree_.children.size());
    node.count = static_cast<std::uint32_t>(pending_.size() - frame.first_child);
    for (std::size_t i = frame.first_child; i < pending_.size(); ++i) {
      const YamlTree::Node& child = tree_.nodes[pending_[i]];
      node.weight += child.weight;
      node.depth = std::max(node.depth, child.depth);
      tree_.children.push_back(pending_[i]);
    }
    ++node.depth;
    if (node.weight > kYamlMaxNodes) RefuseSize(node.line);
    if (node.depth > JsonValue::kMaxDepth) RefuseDepth(node.line);
    pending_.resize(frame.first_child);
    frames_.pop_back();
    Finish(frame.node, frame.anchor);
  }

  void Finish(NodeId node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    Place(node);
  }

  void Place(NodeId node) {
    if (frames_.empty()) {
      tree_.roots.push_back(node);
    } else {
      pending_.push_back(node);
    }
  }

  // Members of the maps under << come in unless the map itself, or an earlier one, has the key.
  void Merge(const Frame& frame) {
    std::vector<NodeId> own;
    std::vector<NodeId> sources;
    for (std::size_t i = frame.first_child; i + 1 < pending_.size(); i += 2) {
      const bool is_merge = tree_.TextOf(pending_[i]) == "<<";
      if (is_merge) {
        AddSources(pending_[i + 1], sources);
      } else {
        own.insert(own.end(), {pending_[i], pending_[i + 1]});
      }
    }
    std::uint64_t merged = 0;
    for (const NodeId source : sources) {
      const YamlTree::Node& map = tree_.nodes[source];
      merged += map.count;
      if (merged > kYamlMaxNodes) RefuseSize(map.line);
      for (std::uint32_t i = 0; i < map.count; i += 2) {
        const NodeId key = tree_.children[map.begin + i];
        if (!HasKey(own, tree_.TextOf(key))) {
          own.insert(own.end(), {key, tree_.children[map.begin + i + 1]});
        }
      }
    }
    pending_.resize(frame.first_child);
    pending_.insert(pending_.end(), own.begin(), own.end());
  }

  void AddSources(NodeId value, std::vector<NodeId>& sources) {
    const YamlTree::Node& node = tree_.nodes[value];
    if (node.kind == Kind::kObject) {
      sources.push_back(value);
      return;
    }
    const Refusal refusal{node.line, "<< needs a map or a list of maps"};
    if (node.kind != Kind::kArray) throw refusal;
    const auto list = std::span(tree_.children).subspan(node.begin, node.count);
    const bool is_list_of_maps = std::ranges::all_of(
        list, [this](NodeId child) { return tree_.nodes[child].kind == Kind::kObject; });
    if (!is_list_of_maps) throw refusal;
    sources.insert(sources.end(), list.begin(), list.end());
  }

  [[nodiscard]] bool HasKey(const std::vector<NodeId>& members, std::string_view key) const {
    for (std::size_t i = 0; i < members.size(); i += 2) {
      if (tree_.TextOf(members[i]) == key) return true;
    }
    return false;
  }

  void RefuseRepeatedKeys(const Frame& frame) {
    std::vector<NodeId> keys;
    for (std::size_t i = frame.first_child; i < pending_.size(); i += 2) {
      keys.push_back(pending_[i]);
    }
    const auto text_of = [this](NodeId key) { return tree_.TextOf(key); };
    std::ranges::stable_sort(keys, {}, text_of);
    const auto repeated = std::ranges::adjacent_find(keys, {}, text_of);
    if (repeated == keys.end()) return;
    throw Refusal{tree_.nodes[*std::next(repeated)].line,
                  fmt::format("the key \"{}\" stands here a second time; the first is in line {}",
                              text_of(*repeated), tree_.nodes[*repeated].line)};
  }

  [[noreturn]] static void RefuseSize(std::uint32_t line) {
    throw Refusal{line, fmt::format("the document is larger than {} values", kYamlMaxNodes)};
  }
  [[noreturn]] static void RefuseDepth(std::uint32_t line) {
    throw Refusal{line, fmt::format("more than {} nested maps and lists", JsonValue::kMaxDepth)};
  }

  YamlTree& tree_;
  int document_position_ = -1;  // where the current document begins
  std::vector<Frame> frames_;
  std::vector<NodeId> pending_;  // children of all open containers
  std::unordered_map<YAML::anchor_t, NodeId> anchors_;
};

// YAML has none of these, and yaml-cpp can take seconds over a NUL.
bool IsForbiddenControl(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
}

Status CheckText(std::string_view text) {
  if (text.size() > kYamlMaxBytes) {
    return Fail(ErrorKind::kDecode, "YAML: {} bytes are more than the {} that are read",
                text.size(), kYamlMaxBytes);
  }
  // yaml-cpp would put replacement characters in, silently.
  std::size_t line = 1;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = Utf8SequenceLength(text, i);
    if (length == 0) return Fail(ErrorKind::kDecode, "YAML, line {}: the text is not UTF-8", line);
    if (IsForbiddenControl(text[i])) {
      return Fail(ErrorKind::kDecode,
                  "YAML, line {}: a control character; write it as an escape in double quotes",
                  line);
    }
    if (text[i] == '\n') ++line;
    i += length;
  }
  return {};
}

}  // namespace

Status BuildYamlTree(std::string_view text, YamlTree& tree) {
  tree = {};
  TRY(CheckText(text));
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    Builder builder(tree);
    while (parser.HandleNextDocument(builder)) {
    }
    return {};
  } catch (const Refusal& refusal) {
    return Fail(ErrorKind::kDecode, "YAML, line {}: {}", refusal.line, refusal.message);
  } catch (const YAML::Exception& exception) {
    return Fail(ErrorKind::kDecode, "YAML, line {} column {}: {}", exception.mark.line + 1,
                exception.mark.column + 1, exception.msg);
  }
}

}  // namespace tracekeeper::codec
