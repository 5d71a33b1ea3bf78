#pragma once
// Call is one request to Vault before it is sent, Answer one that succeeded, Caller the port
// through which the engines ask (Session is the one of production).
//
// Threads:  Call and Answer are values of one thread; a Caller is safe from any thread and blocks.
// Secrets:  an Answer wipes its document when it ends, and what is read from it must be copied into
//           SecretString where it is secret.
// Failure:  errors of a Caller carry a row of kFailures, or are kCancelled.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/codec/json_value.h"
#include "src/vault/failure.h"
#include "src/vault/operation.h"
#include "src/vault/secret_json.h"

namespace tracekeeper::vault {

struct Call {
  Operation operation = Operation::kHealth;
  std::string method = "GET";
  /// Below /v1/, percent-encoded, with its query: "kv/data/shop?version=3".
  std::string path;
  /// Empty: no body.
  SecretJson body;
  std::string_view content_type = "application/json";
  /// What errors say was tried: "read version 3 of kv/shop".
  std::string what;
};

/// A JSON document that is wiped when it ends.
class Answer {
 public:
  /// An answer without content (204).
  Answer() = default;
  /// Parses `body` and wipes it. Fails with kAnswerNotVault: Vault answers with JSON objects.
  static Result<Answer> Parse(std::string& body, std::string_view tried);

  /// The document; missing where there was no content.
  [[nodiscard]] codec::JsonValue root() const { return root_; }
  [[nodiscard]] codec::JsonValue data() const { return root_["data"]; }
  /// Vault's id of the request, as its audit device writes it; empty where it gave none.
  [[nodiscard]] const std::string& request_id() const { return request_id_; }

 private:
  std::optional<codec::JsonParser> parser_;
  codec::JsonValue root_;
  std::string request_id_;
};

class Caller {
 public:
  virtual ~Caller() = default;
  virtual Result<Answer> Send(Call call, const StopToken& stop) = 0;
};

/// Strict readers of an answer: kMalformedSecret with the name of the member, never its value.
Result<std::string_view> ReadText(codec::JsonValue object, std::string_view key,
                                  std::string_view tried);
Result<std::int64_t> ReadNumber(codec::JsonValue object, std::string_view key,
                                std::string_view tried);
/// A number that is not negative.
Result<std::uint64_t> ReadCount(codec::JsonValue object, std::string_view key,
                                std::string_view tried);
/// Whole seconds of at most a hundred years.
Result<Duration> ReadSeconds(codec::JsonValue object, std::string_view key, std::string_view tried);
/// RFC 3339 in UTC, as Vault writes it: "2026-01-02T03:04:05.123456789Z".
Result<Instant> ReadTime(codec::JsonValue object, std::string_view key, std::string_view tried);

/// What stands for an id (lease, accessor) wherever people can read it: 16 hexadecimal digits.
[[nodiscard]] std::string HashOfId(std::string_view id);

}  // namespace tracekeeper::vault
