#pragma once
// ConfigurationStatus: which configuration the running sidecars of a policy use, as they say it
// themselves on /status.

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "src/codec/fields.h"

namespace tracekeeper::api {

/// Sidecars that use one configuration.
struct ConfigurationCount {
  std::string digest;
  std::int64_t pods = 0;

  bool operator==(const ConfigurationCount&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("digest", &ConfigurationCount::digest,
              {.doc = "Of the configuration.", .required = true, .max_length = 128}),
        Field("pods", &ConfigurationCount::pods,
              {.doc = "How many sidecars use it.", .required = true, .minimum = 0}),
    };
  }
};

struct ConfigurationStatus {
  std::string digest;
  std::vector<ConfigurationCount> running;
  std::int64_t refused = 0;
  std::int64_t unknown = 0;

  bool operator==(const ConfigurationStatus&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("digest", &ConfigurationStatus::digest,
              {.doc = "The configuration that the policy asks for.",
               .required = true,
               .max_length = 128}),
        Field("running", &ConfigurationStatus::running,
              {.doc = "The configurations in use, the most used first; those beyond 16 are left "
                      "out.",
               .max_items = 16,
               .list_type = codec::ListType::kMap,
               .list_key = "digest"}),
        Field("refused", &ConfigurationStatus::refused,
              {.doc = "Sidecars that refused a configuration and keep their last good one.",
               .always = true,
               .minimum = 0,
               .schema_default = false}),
        Field("unknown", &ConfigurationStatus::unknown,
              {.doc = "Sidecars that did not answer: not started yet, or kept away by a "
                      "NetworkPolicy.",
               .always = true,
               .minimum = 0,
               .schema_default = false}),
    };
  }
};

}  // namespace tracekeeper::api
