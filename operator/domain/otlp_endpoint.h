#pragma once
// How senders of spans find the replica that leads: the chart's Service for OTLP has no selector,
// and the leader writes its EndpointSlice, with its own pod as the one endpoint
// (docs/adr/0030-the-leader-is-the-one-endpoint.md).
//
// Threads:  pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/codec/json_value.h"
#include "src/kube/meta.h"
#include "src/kube/resource.h"

namespace tracekeeper::domain {

inline constexpr kube::Resource kEndpointSlices{"discovery.k8s.io", "v1", "endpointslices",
                                                "EndpointSlice"};
/// A cluster has room for one installation, so the name is the same in each.
inline constexpr std::string_view kOtlpEndpointSlice = "tracekeeper-otlp";

struct OtlpEndpoint {
  std::string service;  // that is reached by it
  std::string namespace_name;
  std::string pod;
  std::string address;  // the pod's
  std::uint16_t otlp_grpc_port = 4317;
  std::uint16_t otlp_http_port = 4318;
  std::uint16_t api_port = 8085;

  [[nodiscard]] kube::ObjectKey slice() const {
    return {namespace_name, std::string(kOtlpEndpointSlice)};
  }
};

/// What the leader applies. It goes with `owner`.
std::string EndpointSliceJson(const OtlpEndpoint& endpoint,
                              const std::optional<kube::OwnerReference>& owner);

/// The endpoint in that slice is this one: nobody took it over since.
bool IsEndpointOf(codec::JsonValue slice, const OtlpEndpoint& endpoint);

}  // namespace tracekeeper::domain
