#include "tests/operator/domain/test_policies.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "operator/api/tracing_policy.h"
#include "src/codec/json_patch.h"

namespace tracekeeper::domain {

CompileOptions TestOptions() {
  CompileOptions options;
  options.operator_namespace = kOperatorNamespace;
  options.sidecar_image = "registry.test/tracekeeper-sidecar:0.1.0";
  return options;
}

kube::Document Json(std::string_view text) {
  auto document = kube::Document::Parse(text);
  if (!document) throw std::runtime_error(document.error().message + ": " + std::string(text));
  return *std::move(document);
}

PolicyCompilation CompileSpec(std::string_view spec_json, std::string_view name,
                              std::string_view more_metadata) {
  const std::size_t slash = name.find('/');
  const std::string text = fmt::format(
      R"({{"apiVersion":"tracekeeper.dev/v1alpha1","kind":"TracingPolicy","metadata":{{)"
      R"("namespace":"{}","name":"{}","uid":"0b3c","generation":7{}}},"spec":{}}})",
      name.substr(0, slash), name.substr(slash + 1), more_metadata, spec_json);
  const kube::Document document = Json(text);
  const auto policy = api::DecodeTracingPolicy(document.root());
  if (!policy) throw std::runtime_error(policy.error().message);
  auto compilation = CompilePolicy(*policy, TestOptions());
  if (!compilation) throw std::runtime_error(compilation.error().message);
  return *std::move(compilation);
}

PolicyPointer PolicyWith(std::string_view spec_json, std::string_view name) {
  return CompileSpec(spec_json, name).policy;
}

std::string PodWithContainer(std::string_view container_members) {
  return fmt::format(R"({{"metadata":{{"name":"web-1"}},"spec":{{"containers":[)"
                     R"({{"name":"app","image":"shop/cart:1.4"{}}}]}}}})",
                     container_members);
}

Mutation MutateText(std::string_view pod_json, const CompiledPolicy& policy,
                    MutateContext context) {
  const kube::Document pod = Json(pod_json);
  return Mutate(pod.root(), policy, context);
}

std::string Injected(std::string_view pod_json, const CompiledPolicy& policy,
                     MutateContext context) {
  const Mutation mutation = MutateText(pod_json, policy, context);
  if (mutation.patch.empty()) return std::string(pod_json);
  auto patched = codec::ApplyJsonPatch(pod_json, mutation.patch);
  if (!patched) {
    ADD_FAILURE() << "the patch does not apply: " << patched.error().message << "\n"
                  << mutation.patch << "\nto " << pod_json;
    return std::string(pod_json);
  }
  return *std::move(patched);
}

codec::JsonValue ContainerOf(const codec::JsonValue& pod, std::string_view name) {
  for (const std::string_view list : {"initContainers", "containers"}) {
    for (const codec::JsonValue container : pod["spec"][list].Elements()) {
      if (container["name"].StringOr("") == name) return container;
    }
  }
  return {};
}

std::string VariableOf(const codec::JsonValue& pod, std::string_view container,
                       std::string_view variable) {
  std::string found = "absent";
  for (const codec::JsonValue entry : ContainerOf(pod, container)["env"].Elements()) {
    if (entry["name"].StringOr("") != variable) continue;
    if (entry["valueFrom"].is_object()) {
      found = "<-" + entry["valueFrom"].ToJson();
    } else {
      found = "=" + std::string(entry["value"].StringOr(""));
    }
  }
  return found;
}

std::string Canonical(std::string_view json) { return Json(json).root().ToCanonicalJson(); }

}  // namespace tracekeeper::domain
