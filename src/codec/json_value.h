#pragma once
// JsonValue reads JSON without building objects: a 16-byte view into a document that JsonParser
// keeps. simdjson is behind it and in no header.
//
//   JsonParser parser;
//   const JsonValue pod = TRY(parser.Parse(bytes));
//   for (const JsonValue container : pod["spec"]["containers"].Elements())
//   Use(container["name"].StringOr(""));
//
// Threads:  a parser and its values belong to one thread at a time.
// Owner:    the parser owns the document; its next Parse() or its end makes all views invalid.
// Failure:  Parse fails with kDecode and says where. Reading never fails: what is absent or of
//           another kind is kMissing, nullopt, or the given default.
// Limits:   depth kMaxDepth; duplicate keys: the first wins for lookups, iteration shows both.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::codec {

class JsonElements;
class JsonMembers;
class JsonWriter;

class JsonValue {
 public:
  enum class Kind : std::uint8_t {
    kMissing,
    kNull,
    kBool,
    kInteger,
    kDouble,
    kString,
    kArray,
    kObject
  };
  static constexpr std::size_t kMaxDepth = 64;

  JsonValue() = default;  // kMissing

  [[nodiscard]] Kind kind() const;
  [[nodiscard]] explicit operator bool() const { return document_ != nullptr; }
  [[nodiscard]] bool is_object() const { return kind() == Kind::kObject; }
  [[nodiscard]] bool is_array() const { return kind() == Kind::kArray; }
  [[nodiscard]] bool is_string() const { return kind() == Kind::kString; }

  /// Member `key` of an object. Linear in the number of members.
  [[nodiscard]] JsonValue operator[](std::string_view key) const;
  /// Number of elements or members; 0 for anything else. Linear.
  [[nodiscard]] std::size_t size() const;

  [[nodiscard]] std::optional<std::string_view> String() const;
  [[nodiscard]] std::string_view StringOr(std::string_view fallback) const;
  [[nodiscard]] std::optional<std::int64_t> Integer() const;
  [[nodiscard]] std::int64_t IntegerOr(std::int64_t fallback) const;
  /// An integer that is not negative; the only way to those above the signed range.
  [[nodiscard]] std::optional<std::uint64_t> Unsigned() const;
  [[nodiscard]] std::optional<double> Double() const;  // integers too
  [[nodiscard]] std::optional<bool> Bool() const;
  [[nodiscard]] bool BoolOr(bool fallback) const;

  /// Empty for anything but an array / an object.
  [[nodiscard]] JsonElements Elements() const;
  [[nodiscard]] JsonMembers Members() const;

  /// Appends this value to `json`, members in their order; a missing value is null.
  void WriteTo(JsonWriter& json) const;
  /// The same as text.
  [[nodiscard]] std::string ToJson() const;
  /// The same with members sorted by key: equal values give equal text.
  [[nodiscard]] std::string ToCanonicalJson() const;

 private:
  friend class JsonParser;
  friend class JsonElements;
  friend class JsonMembers;
  JsonValue(const void* document, std::size_t index) : document_(document), index_(index) {}

  const void* document_ = nullptr;  // simdjson::dom::element, taken apart
  std::size_t index_ = 0;
};

/// Range of the elements of an array: `for (JsonValue e : value.Elements())`.
class JsonElements {
 public:
  class Iterator {
   public:
    Iterator(const void* document, std::size_t index) : document_(document), index_(index) {}
    JsonValue operator*() const;
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const void* document_;
    std::size_t index_;
  };
  JsonElements(Iterator begin, Iterator end) : begin_(begin), end_(end) {}
  [[nodiscard]] Iterator begin() const { return begin_; }
  [[nodiscard]] Iterator end() const { return end_; }

 private:
  Iterator begin_;
  Iterator end_;
};

struct JsonMember {
  std::string_view key;
  JsonValue value;
};

/// Range of the members of an object: `for (auto [key, value] : object.Members())`.
class JsonMembers {
 public:
  class Iterator {
   public:
    Iterator(const void* document, std::size_t index) : document_(document), index_(index) {}
    JsonMember operator*() const;
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const void* document_;
    std::size_t index_;
  };
  JsonMembers(Iterator begin, Iterator end) : begin_(begin), end_(end) {}
  [[nodiscard]] Iterator begin() const { return begin_; }
  [[nodiscard]] Iterator end() const { return end_; }

 private:
  Iterator begin_;
  Iterator end_;
};

class JsonParser {
 public:
  JsonParser();
  ~JsonParser();
  JsonParser(JsonParser&&) noexcept;
  JsonParser& operator=(JsonParser&&) noexcept;

  /// Parses one document. `text` is copied and need not outlive the call. Numbers beyond 64 bits
  /// and text that is not UTF-8 are refused.
  Result<JsonValue> Parse(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tracekeeper::codec
