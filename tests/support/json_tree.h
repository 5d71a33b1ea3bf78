#pragma once
// JsonTree is JSON that can be changed: what the fake API server keeps its objects in. The product
// reads JSON through views and writes it as text; only a server needs this.
//
// Threads:  a value; one thread at a time.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/codec/json_value.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::test_support {

class JsonTree {
 public:
  enum class Kind { kNull, kScalar, kString, kArray, kObject };
  using Member = std::pair<std::string, JsonTree>;

  JsonTree() = default;  // null
  static JsonTree FromText(std::string text);
  static JsonTree FromInteger(std::int64_t number);
  static JsonTree EmptyObject();
  static JsonTree EmptyArray();
  static JsonTree From(codec::JsonValue value);
  static Result<JsonTree> Parse(std::string_view text);

  bool operator==(const JsonTree& other) const;

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_object() const { return kind_ == Kind::kObject; }
  [[nodiscard]] bool is_array() const { return kind_ == Kind::kArray; }
  /// The text of a string, the JSON of a number or boolean; empty for anything else.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string ToJson() const;

  /// Member `key`, or null where there is none.
  [[nodiscard]] const JsonTree* Find(std::string_view key) const;
  [[nodiscard]] JsonTree* Find(std::string_view key);
  /// The text at a path of member names, or an empty string.
  [[nodiscard]] std::string TextAt(std::initializer_list<std::string_view> path) const;
  /// Member `key`, made null when it is new; a tree that is no object becomes one.
  JsonTree& operator[](std::string_view key);
  bool Erase(std::string_view key);

  std::vector<JsonTree>& elements() { return elements_; }
  [[nodiscard]] const std::vector<JsonTree>& elements() const { return elements_; }
  std::vector<Member>& members() { return members_; }
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }

 private:
  void WriteTo(codec::JsonWriter& json) const;

  Kind kind_ = Kind::kNull;
  std::string text_;
  std::vector<JsonTree> elements_;
  std::vector<Member> members_;
};

/// RFC 6902: test, add, replace, remove. False, and an unspecified target, when it does not fit.
bool ApplyJsonPatch(JsonTree& target, const JsonTree& operations);

/// RFC 7386.
void ApplyMergePatch(JsonTree& target, const JsonTree& patch);

}  // namespace tracekeeper::test_support
