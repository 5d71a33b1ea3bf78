#include "cli/doctor_questions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "operator/api/tracing_policy.h"
#include "operator/api/vault_connection.h"
#include "operator/domain/node_capability.h"
#include "src/codec/json_writer.h"
#include "src/codec/schema.h"
#include "src/net/http.h"

namespace tracekeeper::cli {
namespace {

void CollectAbsent(const codec::Schema& ours, codec::JsonValue theirs, const std::string& path,
                   std::vector<std::string>& absent) {
  if (theirs["x-kubernetes-preserve-unknown-fields"].BoolOr(false)) return;
  for (const codec::SchemaProperty& property : ours.properties) {
    const std::string here = fmt::format("{}.{}", path, property.name);
    const codec::JsonValue below = theirs["properties"][property.name];
    if (below) {
      CollectAbsent(property.schema, below, here, absent);
    } else {
      absent.push_back(here);
    }
  }
  if (ours.below.empty()) return;
  const char* key = ours.type == codec::Schema::Type::kArray ? "items" : "additionalProperties";
  CollectAbsent(ours.below.front(), theirs[key], path, absent);
}

std::string ReviewOf(const std::string& user, const domain::Right& right, std::string_view verb,
                     const std::string& namespace_name) {
  const auto [resource, subresource] = domain::PartsOf(right);
  codec::JsonWriter json;
  json.BeginObject()
      .Member("apiVersion", "authorization.k8s.io/v1")
      .Member("kind", "SubjectAccessReview")
      .Key("spec")
      .BeginObject()
      .Member("user", user)
      .Key("resourceAttributes")
      .BeginObject()
      .Member("verb", verb)
      .Member("group", right.group)
      .Member("resource", resource);
  if (!subresource.empty()) json.Member("subresource", subresource);
  if (!right.name.empty()) json.Member("name", right.name);
  if (right.scope != domain::RightScope::kCluster) json.Member("namespace", namespace_name);
  json.EndObject().EndObject().EndObject();
  return json.Take();
}

constexpr std::size_t kMostNamed = 5;

}  // namespace

std::string Some(const std::vector<std::string>& names) {
  const std::size_t count = std::min(names.size(), kMostNamed);
  std::string text = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(count), ", "));
  if (names.size() > count) text += fmt::format(" and {} more", names.size() - count);
  return text;
}

CustomResourceFacts FactsOf(codec::JsonValue crd) {
  CustomResourceFacts facts;
  for (const codec::JsonValue condition : crd["status"]["conditions"].Elements()) {
    if (condition["type"].StringOr("") == "Established") {
      facts.is_established = condition["status"].StringOr("") == "True";
    }
  }
  for (const codec::JsonValue version : crd["spec"]["versions"].Elements()) {
    if (version["name"].StringOr("") != api::kVersion) continue;
    facts.serves_version = version["served"].BoolOr(false);
    const codec::JsonValue schema = version["schema"]["openAPIV3Schema"]["properties"];
    CollectAbsent(codec::SchemaOf<api::TracingPolicySpec>(), schema["spec"], "spec",
                  facts.absent_fields);
    CollectAbsent(codec::SchemaOf<api::TracingPolicyStatus>(), schema["status"], "status",
                  facts.absent_fields);
  }
  return facts;
}

Result<std::vector<std::string>> DeniedVerbs(kube::Client& client, const std::string& user,
                                             const domain::Right& right,
                                             const std::string& namespace_name,
                                             const StopToken& stop) {
  std::vector<std::string> denied;
  for (const std::string_view verb : domain::VerbsOf(right)) {
    const kube::RawCall call{.method = "POST",
                             .target = "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                             .content_type = "application/json",
                             .body = ReviewOf(user, right, verb, namespace_name),
                             .what = "ask what the operator may do",
                             .repeat = kube::Repeat::kSafe};
    const kube::Document answer = TRY(client.Call(call, stop));
    if (!answer["status"]["allowed"].BoolOr(false)) denied.emplace_back(verb);
  }
  return denied;
}

Result<std::set<std::string>> NamespacesOfConnections(kube::Client& client, const StopToken& stop) {
  const kube::RawCall call{.target = api::kVaultConnections.CollectionPath(),
                           .what = "list VaultConnections",
                           .repeat = kube::Repeat::kSafe};
  const auto answer = client.Call(call, stop);
  std::set<std::string> namespaces;
  if (!answer && answer.error().kind == ErrorKind::kNotFound) return namespaces;
  if (!answer) return Fail(answer.error());
  for (const codec::JsonValue connection : (*answer)["items"].Elements()) {
    namespaces.insert(TRY(kube::DecodeKey(connection)).namespace_name);
  }
  return namespaces;
}

Result<std::vector<kube::ObjectKey>> LeasesNamed(kube::Client& client, const std::string& name,
                                                 const std::string& except, const StopToken& stop) {
  const kube::RawCall call{
      .target = fmt::format("{}?fieldSelector={}", kube::kLeases.CollectionPath(),
                            net::PercentEncode("metadata.name=" + name)),
      .what = "list the operators' leases",
      .repeat = kube::Repeat::kSafe};
  const kube::Document leases = TRY(client.Call(call, stop));
  std::vector<kube::ObjectKey> keys;
  for (const codec::JsonValue lease : leases["items"].Elements()) {
    const kube::ObjectKey key = TRY(kube::DecodeKey(lease));
    if (key.namespace_name != except) keys.push_back(key);
  }
  return keys;
}

Result<std::size_t> ReadyEndpoints(kube::Client& client, const std::string& namespace_name,
                                   const std::string& service, const StopToken& stop) {
  const kube::RawCall call{
      .target =
          fmt::format("/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices?labelSelector={}",
                      net::PercentEncode(namespace_name),
                      net::PercentEncode("kubernetes.io/service-name=" + service)),
      .what = fmt::format("list the endpoints of service {}/{}", namespace_name, service),
      .repeat = kube::Repeat::kSafe};
  const kube::Document slices = TRY(client.Call(call, stop));
  std::size_t ready = 0;
  for (const codec::JsonValue slice : slices["items"].Elements()) {
    for (const codec::JsonValue endpoint : slice["endpoints"].Elements()) {
      // Absent means ready, by the API's own rule.
      if (endpoint["conditions"]["ready"].BoolOr(true)) ready += endpoint["addresses"].size();
    }
  }
  return ready;
}

Result<std::vector<std::string>> NodesWithoutNativeSidecars(kube::Client& client,
                                                            const StopToken& stop) {
  const kube::RawCall call{
      .target = "/api/v1/nodes", .what = "list nodes", .repeat = kube::Repeat::kSafe};
  const kube::Document nodes = TRY(client.Call(call, stop));
  std::vector<std::string> old;
  for (const codec::JsonValue node : nodes["items"].Elements()) {
    const std::string_view version = node["status"]["nodeInfo"]["kubeletVersion"].StringOr("");
    const std::array kubelets = {version};
    if (!domain::CapabilityOf(version, kubelets).native_sidecars) {
      old.push_back(fmt::format("{} ({})", node["metadata"]["name"].StringOr(""), version));
    }
  }
  return old;
}

}  // namespace tracekeeper::cli
