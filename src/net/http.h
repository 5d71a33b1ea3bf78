#pragma once
// HTTP as plain values: what Transport sends and Server receives. No library type is in here.
//
// Source:  RFC 9110 (semantics). Header names compare without case.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tracekeeper::net {

/// Header fields in the order they stand on the wire; a name may occur more than once.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

  void Add(std::string_view name, std::string_view value);
  /// Replaces every field of that name by one.
  void Set(std::string_view name, std::string_view value);
  /// The first value, or an empty view.
  [[nodiscard]] std::string_view Get(std::string_view name) const;
  [[nodiscard]] bool Has(std::string_view name) const;

  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  std::string method = "GET";
  /// Origin form: path and query, percent-encoded: "/api/v1/pods?limit=500".
  std::string target = "/";
  Headers headers;
  std::string body;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  /// Fields behind the body, in HTTP/2 only: an HTTP/1.1 server does not send them, and its
  /// clients do not ask for them.
  Headers trailers;
};

/// The target without its query: what a router matches.
[[nodiscard]] std::string_view PathOf(std::string_view target);

/// The decoded value of query parameter `name`, or an empty string.
[[nodiscard]] std::string QueryParameter(std::string_view target, std::string_view name);

/// Percent-encodes everything but RFC 3986's unreserved characters.
[[nodiscard]] std::string PercentEncode(std::string_view text);

/// The standard reason phrase ("Not Found"), or "Unknown".
[[nodiscard]] std::string_view ReasonPhrase(int status);

}  // namespace tracekeeper::net
