#include "operator/domain/otlp_endpoint.h"

#include "src/codec/json_writer.h"

namespace tracekeeper::domain {
namespace {

using codec::JsonWriter;

void WritePort(JsonWriter& json, std::string_view name, std::uint16_t port,
               std::string_view protocol) {
  json.BeginObject().Member("name", name).Key("port").Unsigned(port);
  json.Member("protocol", "TCP").Member("appProtocol", protocol).EndObject();
}

void WriteOwner(JsonWriter& json, const kube::OwnerReference& owner) {
  json.Key("ownerReferences").BeginArray().BeginObject();
  json.Member("apiVersion", owner.api_version).Member("kind", owner.kind);
  json.Member("name", owner.name).Member("uid", owner.uid).EndObject().EndArray();
}

}  // namespace

std::string EndpointSliceJson(const OtlpEndpoint& endpoint,
                              const std::optional<kube::OwnerReference>& owner) {
  const bool is_ipv6 = endpoint.address.find(':') != std::string::npos;
  JsonWriter json;
  json.BeginObject().Member("apiVersion", kEndpointSlices.ApiVersion());
  json.Member("kind", kEndpointSlices.kind).Key("metadata").BeginObject();
  json.Member("name", kOtlpEndpointSlice).Member("namespace", endpoint.namespace_name);
  json.Key("labels").BeginObject().Member("kubernetes.io/service-name", endpoint.service);
  // Who else makes slices leaves alone those of another manager.
  json.Member("endpointslice.kubernetes.io/managed-by", "tracekeeper.dev").EndObject();
  if (owner) WriteOwner(json, *owner);
  json.EndObject().Member("addressType", is_ipv6 ? "IPv6" : "IPv4");
  json.Key("endpoints").BeginArray().BeginObject();
  json.Key("addresses").BeginArray().String(endpoint.address).EndArray();
  json.Key("conditions").BeginObject().Key("ready").Bool(true).EndObject();
  json.Key("targetRef").BeginObject().Member("kind", "Pod").Member("name", endpoint.pod);
  json.Member("namespace", endpoint.namespace_name).EndObject().EndObject().EndArray();
  json.Key("ports").BeginArray();
  WritePort(json, "otlp-grpc", endpoint.otlp_grpc_port, "grpc");
  WritePort(json, "otlp-http", endpoint.otlp_http_port, "http");
  WritePort(json, "api", endpoint.api_port, "http");
  json.EndArray().EndObject();
  return json.Take();
}

bool IsEndpointOf(codec::JsonValue slice, const OtlpEndpoint& endpoint) {
  for (const codec::JsonValue one : slice["endpoints"].Elements()) {
    if (one["targetRef"]["name"].StringOr("") != endpoint.pod) continue;
    for (const codec::JsonValue address : one["addresses"].Elements()) {
      if (address.StringOr("") == endpoint.address) return true;
    }
  }
  return false;
}

}  // namespace tracekeeper::domain
