// DEPENDS: tracekeeper::operator_domain
//
// Any JSON as a pod: injection answers with no patch or with one that applies, changes nothing on a
// second pass, and can be undone. A law that breaks ends the program.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "operator/api/tracing_policy.h"
#include "operator/domain/compile_policy.h"
#include "operator/domain/mutate.h"
#include "operator/domain/undo.h"
#include "src/codec/json_patch.h"
#include "src/kube/document.h"

namespace tracekeeper::domain {
namespace {

[[noreturn]] void Broken(std::string_view law, std::string_view detail) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(law.size()), law.data(),
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

PolicyPointer MakePolicy() {
  constexpr std::string_view kPolicy = R"({"metadata":{"namespace":"shop","name":"p","uid":"1"},
    "spec":{"injection":{"podSecurityDefaults":"Restricted","instrumentation":{
      "java":{"image":"j"},"python":{"image":"p"},"dotnet":{"image":"d"}}},
      "sampling":{"head":{"ratio":"0.5"}}}})";
  const auto document = kube::Document::Parse(kPolicy);
  if (!document) Broken("the policy parses", document.error().message);
  const auto policy = api::DecodeTracingPolicy(document->root());
  if (!policy) Broken("the policy decodes", policy.error().message);
  CompileOptions options;
  options.sidecar_image = "sidecar:1";
  const auto compilation = CompilePolicy(*policy, options);
  if (!compilation) Broken("the policy compiles", compilation.error().message);
  return compilation->policy;
}

/// Whether some object of the document names a member twice: what such a document means is open.
bool HasDoubledMember(const codec::JsonValue& value) {
  for (const codec::JsonValue element : value.Elements()) {
    if (HasDoubledMember(element)) return true;
  }
  for (const auto& [key, member] : value.Members()) {
    int count = 0;
    for (const auto& [other, ignored] : value.Members()) count += other == key ? 1 : 0;
    if (count > 1 || HasDoubledMember(member)) return true;
  }
  return false;
}

/// Containers of one name are refused by the API server; a record by name cannot tell them apart.
bool HasDoubledContainer(const codec::JsonValue& pod) {
  std::string names = "\n";
  for (const std::string_view list : {"initContainers", "containers"}) {
    for (const codec::JsonValue container : pod["spec"][list].Elements()) {
      const std::string name = std::string(container["name"].StringOr("")) + "\n";
      if (names.find("\n" + name) != std::string::npos) return true;
      names.append(name);
    }
  }
  return false;
}

void CheckLaws(std::string_view text, const CompiledPolicy& policy) {
  const auto pod = kube::Document::Parse(text);
  if (!pod || HasDoubledMember(pod->root()) || HasDoubledContainer(pod->root())) return;
  const MutateContext context{.namespace_name = "shop"};
  const Mutation mutation = Mutate(pod->root(), policy, context);
  if (mutation.findings.empty()) Broken("every answer has a reason", text);
  if (mutation.patch.empty()) return;

  const std::string before = pod->root().ToJson();
  const auto after = codec::ApplyJsonPatch(before, mutation.patch);
  if (!after) Broken("the patch applies", after.error().message + "\n" + mutation.patch);
  const auto injected = kube::Document::Parse(*after);
  if (!injected) Broken("the result parses", injected.error().message);
  const Mutation again = Mutate(injected->root(), policy, context);
  if (!again.patch.empty()) Broken("twice is once", again.patch);
  if (pod->root()["metadata"]["annotations"]["tracekeeper.dev/injection"]) return;
  const auto undone = Undo(injected->root());
  if (!undone) Broken("it can be undone", undone.error().message);
  const auto restored = kube::Document::Parse(*undone);
  if (!restored) Broken("what is undone parses", restored.error().message);
  if (restored->root().ToCanonicalJson() != pod->root().ToCanonicalJson()) {
    Broken("undo gives the pod back", *undone + "\n" + before);
  }
}

}  // namespace
}  // namespace tracekeeper::domain

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tracekeeper::domain::PolicyPointer policy = tracekeeper::domain::MakePolicy();
  tracekeeper::domain::CheckLaws({reinterpret_cast<const char*>(data), size}, *policy);
  return 0;
}
