#include "analyzer/policies.h"

#include "analyzer/text_file.h"
#include "operator/api/tracing_policy.h"
#include "operator/domain/continuity_rules.h"
#include "src/codec/yaml.h"
#include "src/kube/document.h"

namespace tracekeeper::analyzer {
namespace {

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
  domain::SloByPolicy slos;
  for (const api::TracingPolicy& policy : policies) {
    read.names.push_back(policy.metadata.key.ToString());
    slos.insert_or_assign(read.names.back(), policy.spec.slo);
  }
  read.rules = domain::RulesOf(slos);
  return read;
}

}  // namespace tracekeeper::analyzer
