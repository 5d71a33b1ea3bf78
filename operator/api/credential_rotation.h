#pragma once
// CredentialRotation: when a credential is replaced, what is made for it, and how long the old and
// the new one are valid side by side.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>

#include "operator/api/rules.h"
#include "src/base/clock.h"
#include "src/codec/duration.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

enum class GeneratorType { kNone, kPassword, kRsa, kEcdsa, kEd25519 };

consteval auto ValuesOf(GeneratorType) {
  using codec::EnumValue;
  return std::array{
      EnumValue{GeneratorType::kNone, "none",
                "somebody else writes the secret; each new version of it is rolled out"},
      EnumValue{GeneratorType::kPassword, "password", "random letters and digits"},
      EnumValue{GeneratorType::kRsa, "rsa", "an RSA key, PKCS#8 in PEM"},
      EnumValue{GeneratorType::kEcdsa, "ecdsa", "a key on the curve P-256, PKCS#8 in PEM"},
      EnumValue{GeneratorType::kEd25519, "ed25519", "an Ed25519 key, PKCS#8 in PEM"},
  };
}

inline constexpr std::array kRsaBitsRules = {
    codec::Rule{.expression = "self in [2048, 3072, 4096]",
                .message = "bits must be 2048, 3072 or 4096: write 3072"}};

inline constexpr std::array kPeriodRules = {codec::Rule{
    .expression = "self.matches('^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$') && self != '' && "
                  "duration(self) >= duration('1m') && duration(self) <= duration('8784h')",
    .message_expression =
        "'duration \"' + self + '\" must be between 1m and 8784h, a year, in hours, minutes and "
        "seconds: write 72h, 12h30m or 10m'"}};

/// Of what passes within one rotation.
inline constexpr std::array kPhaseRules = {codec::Rule{
    .expression = "self.matches('^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$') && self != '' && "
                  "duration(self) <= duration('720h')",
    .message_expression =
        "'duration \"' + self + '\" must be between 0s and 720h in hours, minutes and seconds: "
        "write 1h, 5m or 30s'"}};

/// What the operator makes and writes to KV.
struct Generator {
  GeneratorType type = GeneratorType::kNone;
  std::string key;           // empty: "password", or "private-key.pem"
  std::int64_t length = 32;  // of a password
  std::int64_t bits = 2048;  // of an RSA key

  bool operator==(const Generator&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("type", &Generator::type, {.doc = "What is made."}),
        Field("key", &Generator::key,
              {.doc = "Key of the secret that it is written to; the others are kept. Default: "
                      "password, or private-key.pem for keys.",
               .max_length = 128,
               .rules = kShownKeyRules}),
        Field("length", &Generator::length,
              {.doc = "Of a password: how many characters.", .minimum = 16, .maximum = 256}),
        Field("bits", &Generator::bits,
              {.doc = "Of an RSA key: how many bits, 2048, 3072 or 4096.",
               .minimum = 2048,
               .maximum = 4096,
               .rules = kRsaBitsRules}),
    };
  }
};

struct CredentialRotation {
  Duration every = std::chrono::hours(72);
  Generator generate;
  Duration overlap = std::chrono::hours(1);
  Duration activate_after{};
  Duration linger{};

  bool operator==(const CredentialRotation&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    using Self = CredentialRotation;
    return std::tuple{
        Field("every", &Self::every,
              {.doc = "How often a new one replaces it: up to a tenth earlier than that, never "
                      "later. Between 1m and 8784h.",
               .rules = kPeriodRules}),
        Field("generate", &Self::generate, {.doc = "kv-v2: what is made for each rotation."}),
        Field("overlap", &Self::overlap,
              {.doc = "How long the previous one stays valid beside the new one, at least.",
               .rules = kPhaseRules}),
        Field("activateAfter", &Self::activate_after,
              {.doc = "How long the next one is shown before it is used: what verifiers cache.",
               .rules = kPhaseRules}),
        Field("linger", &Self::linger,
              {.doc = "How long what was signed with the previous one is still presented after the "
                      "last consumer left it: the longest life of a token.",
               .rules = kPhaseRules}),
    };
  }

  // A text that is no duration has its own sentence, so nothing is said of it here.
  static constexpr std::array kRules = {codec::Rule{
      .expression =
          "![self.every, self.overlap, self.activateAfter, self.linger].all(d, d != '' && "
          "d.matches('^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$')) || "
          "(duration(self.overlap) + duration(self.activateAfter) + "
          "duration(self.linger)).getSeconds() * 10 < duration(self.every).getSeconds() * 9",
      .message_expression =
          "'overlap ' + self.overlap + ', activateAfter ' + self.activateAfter + ' and linger ' + "
          "self.linger + ' must together be shorter than nine tenths of every ' + self.every + ', "
          "or the next rotation is due before this one ends: shorten them, or write a longer "
          "every'"}};
};

}  // namespace tracekeeper::api
