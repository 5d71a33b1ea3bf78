#pragma once
// CredentialStatus: how far one credential of a policy is.

#include <cstdint>
#include <string>
#include <tuple>

#include "src/codec/fields.h"

namespace tracekeeper::api {

struct CredentialStatus {
  std::string name;
  std::string phase;
  std::int64_t version = 0;
  std::string last_rotation;  // RFC 3339; empty: never
  std::string next_rotation;  // empty: it only follows its source
  std::string reason;

  bool operator==(const CredentialStatus&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    using Self = CredentialStatus;
    return std::tuple{
        Field("name", &Self::name, {.doc = "Its name.", .required = true, .max_length = 63}),
        Field("phase", &Self::phase,
              {.doc = "Idle, Prepare, Publish, Activate, Drain, Retire or Audited.",
               .max_length = 32}),
        Field("version", &Self::version,
              {.doc = "Number of the version in use; 0: none yet.", .minimum = 0}),
        Field("lastRotation", &Self::last_rotation,
              {.doc = "When the version in use came into use.",
               .max_length = 64,
               .format = "date-time"}),
        Field("nextRotation", &Self::next_rotation,
              {.doc = "When the next is due. Absent: when its source has a newer version.",
               .max_length = 64,
               .format = "date-time"}),
        Field("reason", &Self::reason,
              {.doc = "The reason of its part of the condition CredentialsRotated.",
               .max_length = 128}),
    };
  }
};

}  // namespace tracekeeper::api
