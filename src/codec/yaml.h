#pragma once
// YamlParser reads YAML into a small tree whose views, YamlValue, read like JsonValue: whatever
// decodes from one decodes from the other. yaml-cpp is behind it and in no header; simdjson is not
// needed, so the sidecar can be linked without shared libraries.
//
// Plain scalars have the types that kubectl gives them (YAML 1.1): yes, on and y are true, 0o17 and
// 017 are 15, 1e3 is 1000, what looks like a date stays text. Anchors, aliases and merge keys (<<)
// work. Unlike kubectl, which takes the last, a key that stands twice is refused.
//
//   YamlParser parser;
//   const YamlValue document = TRY(parser.Parse(text));
//
// Threads:  a parser and its values belong to one thread at a time.
// Owner:    the parser owns the tree; its next parse or its end makes all views invalid.
// Failure:  kDecode with the line and what is wrong: bad YAML, a key twice, a tag or key that JSON
//           cannot carry, a limit passed.
// Limits:   kYamlMaxBytes of text, depth JsonValue::kMaxDepth, kYamlMaxNodes after aliases are
//           followed (a few lines of aliases can stand for billions of nodes).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/codec/json_value.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::codec {

inline constexpr std::size_t kYamlMaxBytes = 8U << 20U;
inline constexpr std::size_t kYamlMaxNodes = 1'000'000;

struct YamlTree;
class YamlElements;
class YamlMembers;

class YamlValue {
 public:
  using Kind = JsonValue::Kind;

  YamlValue() = default;  // kMissing
  YamlValue(const YamlTree* tree, std::uint32_t node) : tree_(tree), node_(node) {}

  [[nodiscard]] Kind kind() const;
  [[nodiscard]] explicit operator bool() const { return tree_ != nullptr; }
  /// Member `key` of an object. Linear in the number of members.
  [[nodiscard]] YamlValue operator[](std::string_view key) const;

  [[nodiscard]] std::optional<std::string_view> String() const;
  [[nodiscard]] std::string_view StringOr(std::string_view fallback) const;
  [[nodiscard]] std::optional<std::int64_t> Integer() const;
  [[nodiscard]] std::optional<double> Double() const;  // integers too
  [[nodiscard]] std::optional<bool> Bool() const;

  /// Empty for anything but an array / an object.
  [[nodiscard]] YamlElements Elements() const;
  [[nodiscard]] YamlMembers Members() const;

  /// The line on which this value begins, from 1; 0 when missing.
  [[nodiscard]] std::size_t line() const;

  void WriteTo(JsonWriter& json) const;
  [[nodiscard]] std::string ToJson() const;

 private:
  const YamlTree* tree_ = nullptr;
  std::uint32_t node_ = 0;
};

class YamlElements {
 public:
  class Iterator {
   public:
    Iterator(const YamlTree* tree, std::size_t at) : tree_(tree), at_(at) {}
    YamlValue operator*() const;
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const YamlTree* tree_;
    std::size_t at_;
  };
  YamlElements(Iterator begin, Iterator end) : begin_(begin), end_(end) {}
  [[nodiscard]] Iterator begin() const { return begin_; }
  [[nodiscard]] Iterator end() const { return end_; }

 private:
  Iterator begin_;
  Iterator end_;
};

struct YamlMember {
  std::string_view key;
  YamlValue value;
};

class YamlMembers {
 public:
  class Iterator {
   public:
    Iterator(const YamlTree* tree, std::size_t at) : tree_(tree), at_(at) {}
    YamlMember operator*() const;
    Iterator& operator++() {
      at_ += 2;  // a key and its value
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const YamlTree* tree_;
    std::size_t at_;
  };
  YamlMembers(Iterator begin, Iterator end) : begin_(begin), end_(end) {}
  [[nodiscard]] Iterator begin() const { return begin_; }
  [[nodiscard]] Iterator end() const { return end_; }

 private:
  Iterator begin_;
  Iterator end_;
};

class YamlParser {
 public:
  YamlParser();
  ~YamlParser();
  YamlParser(YamlParser&&) noexcept;
  YamlParser& operator=(YamlParser&&) noexcept;

  /// The one document of `text`; several are an error, none is kNull.
  Result<YamlValue> Parse(std::string_view text);
  /// All documents of `text` (`---` between them); those without content are left out.
  Result<std::vector<YamlValue>> ParseAll(std::string_view text);

 private:
  std::unique_ptr<YamlTree> tree_;
};

/// Each document of `text` as JSON text.
Result<std::vector<std::string>> YamlToJson(std::string_view text);

}  // namespace tracekeeper::codec
