#pragma once
// JsonWriter appends JSON to a string: minimal, in the order of the calls, no document in memory.
//
//   JsonWriter json;
//   json.BeginObject().Key("kind").String("Pod").Key("items").BeginArray().EndArray().EndObject();
//   Send(json.text());
//
// Threads:  one thread at a time.
// Failure:  none; calls in an order that gives no JSON are the caller's bug (asserted).

#include <cstdint>
#include <string>
#include <string_view>

namespace tracekeeper::codec {

class JsonWriter {
 public:
  JsonWriter& BeginObject();
  JsonWriter& EndObject();
  JsonWriter& BeginArray();
  JsonWriter& EndArray();
  JsonWriter& Key(std::string_view key);
  /// Escapes what JSON demands; other bytes pass as they are (UTF-8 stays UTF-8).
  JsonWriter& String(std::string_view value);
  JsonWriter& Integer(std::int64_t value);
  JsonWriter& Unsigned(std::uint64_t value);
  JsonWriter& Double(double value);  // shortest form that reads back equal
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  /// `json` is already JSON and is taken as it is.
  JsonWriter& Raw(std::string_view json);

  /// Key and value in one.
  JsonWriter& Member(std::string_view key, std::string_view value) {
    return Key(key).String(value);
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string Take() { return std::move(text_); }

 private:
  void Separate();

  std::string text_;
  bool needs_comma_ = false;
};

/// Appends `value` as a JSON string with its quotes.
void AppendJsonString(std::string& out, std::string_view value);

}  // namespace tracekeeper::codec
