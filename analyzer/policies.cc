#include "analyzer/policies.h"

#include <fmt/format.h>

#include "analyzer/text_file.h"
#include "operator/api/tracing_policy.h"
#include "src/codec/yaml.h"
#include "src/kube/document.h"

namespace tracekeeper::analyzer {
namespace {

void Append(std::vector<std::string>& list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

Status TakeObject(codec::JsonValue object, std::vector<api::TracingPolicy>& policies) {
  if (object["kind"].StringOr("") == "List") {
    for (const codec::JsonValue item : object["items"].Elements()) {
      TRY(TakeObject(item, policies));
    }
    return {};
  }
  if (object["kind"].StringOr("") != api::kTracingPolicyKind) return {};
  policies.push_back(TRY(api::DecodeTracingPolicy(object)));
  return {};
}

Status TakeFile(const std::string& text, std::vector<api::TracingPolicy>& policies) {
  for (const std::string& json : TRY(codec::YamlToJson(text))) {
    const kube::Document document = TRY(kube::Document::Parse(json));
    TRY(TakeObject(document.root(), policies));
  }
  return {};
}

continuity::Rules RulesOf(const api::Slo& slo) {
  return {.entrypoints = slo.entrypoints,
          .excluded_services = slo.exclude.services,
          .excluded_scopes = slo.exclude.scopes,
          .excluded_span_names = slo.exclude.span_names};
}

/// What any of them says.
api::Slo Together(const std::vector<api::TracingPolicy>& policies) {
  api::Slo all;
  for (const api::TracingPolicy& policy : policies) {
    const api::Slo& slo = policy.spec.slo;
    Append(all.entrypoints, slo.entrypoints);
    Append(all.exclude.services, slo.exclude.services);
    Append(all.exclude.scopes, slo.exclude.scopes);
    Append(all.exclude.span_names, slo.exclude.span_names);
  }
  return all;
}

}  // namespace

Result<ReadPolicies> ReadPolicyFiles(const std::vector<std::string>& files) {
  ReadPolicies read;
  std::vector<api::TracingPolicy> policies;
  for (const std::string& file_or_folder : files) {
    for (const std::string& file : TRY(FilesOf(file_or_folder))) {
      const std::string text = TRY(ReadTextFile(file));
      Status taken = TakeFile(text, policies);
      if (!taken) return Fail(std::move(taken).error().Within(file));
      read.text += text;
      read.text += '\0';
    }
  }
  read.rules = RulesOf(Together(policies));
  for (const api::TracingPolicy& policy : policies) {
    const auto& key = policy.metadata.key;
    read.names.push_back(fmt::format("{}/{}", key.namespace_name, key.name));
    read.rules.Add(read.names.back(), RulesOf(policy.spec.slo));
  }
  return read;
}

}  // namespace tracekeeper::analyzer
