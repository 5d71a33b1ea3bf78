#pragma once
// RolloutStatus: which workloads of a policy are being renewed. It is the journal of renewal, too:
// written before a pod is touched, so that the next leader goes on where the last one stopped.

#include <array>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "operator/api/conditions.h"
#include "src/base/clock.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

enum class RenewalState { kRenewing, kWaiting, kStuck };

consteval auto ValuesOf(RenewalState) {
  using codec::EnumValue;
  return std::array{
      EnumValue{RenewalState::kRenewing, "Renewing", "pods are being replaced"},
      EnumValue{RenewalState::kWaiting, "Waiting",
                "something forbids the next step; it is tried "
                "again"},
      EnumValue{RenewalState::kStuck, "Stuck",
                "it does not come to an end by itself; other "
                "workloads go on"},
  };
}

/// A workload that is being renewed.
struct WorkloadRenewal {
  std::string workload;  // "Deployment shop/web"
  RenewalState state = RenewalState::kRenewing;
  Instant started{};
  std::int64_t pods = 0;
  std::string message;

  bool operator==(const WorkloadRenewal&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("workload", &WorkloadRenewal::workload,
              {.doc = "Kind, namespace and name.", .required = true, .max_length = 600}),
        Field("state", &WorkloadRenewal::state,
              {.doc = "How its renewal stands.", .always = true, .schema_default = false}),
        Field("started", &WorkloadRenewal::started,
              {.doc = "When its renewal began.", .required = true}),
        Field("pods", &WorkloadRenewal::pods,
              {.doc = "How many pods it had then: so many must be there again.",
               .always = true,
               .minimum = 0,
               .schema_default = false}),
        Field(
            "message", &WorkloadRenewal::message,
            {.doc = "What it waits for, or why it is stuck, and what to do.", .max_length = 2048}),
    };
  }
};

struct RolloutStatus {
  std::string digest;
  Instant last_started{};
  std::vector<WorkloadRenewal> workloads;

  bool operator==(const RolloutStatus&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("digest", &RolloutStatus::digest,
              {.doc = "The injection to which pods are renewed.",
               .required = true,
               .max_length = 128}),
        Field("lastStarted", &RolloutStatus::last_started,
              {.doc = "When the renewal of a workload began last.", .required = true}),
        Field("workloads", &RolloutStatus::workloads,
              {.doc = "Workloads whose renewal has begun and has not ended.",
               .max_items = 100,
               .list_type = codec::ListType::kMap,
               .list_key = "workload"}),
    };
  }
};

}  // namespace tracekeeper::api
