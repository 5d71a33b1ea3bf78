#include "analyzer/policies.h"

#include <fmt/format.h>

#include "analyzer/text_file.h"
#include "operator/api/tracing_policy.h"
#include "src/codec/yaml.h"
#include "src/kube/document.h"

namespace tracekeeper::analyzer {
namespace {

struct Lists {
  std::vector<std::string> entrypoints;
  std::vector<std::string> services;
  std::vector<std::string> scopes;
  std::vector<std::string> span_names;
};

void Append(std::vector<std::string>& list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

Status TakeObject(codec::JsonValue object, Lists& lists, std::vector<std::string>& names) {
  if (object["kind"].StringOr("") == "List") {
    for (const codec::JsonValue item : object["items"].Elements()) {
      TRY(TakeObject(item, lists, names));
    }
    return {};
  }
  if (object["kind"].StringOr("") != api::kTracingPolicyKind) return {};
  const api::TracingPolicy policy = TRY(api::DecodeTracingPolicy(object));
  const api::Slo& slo = policy.spec.slo;
  Append(lists.entrypoints, slo.entrypoints);
  Append(lists.services, slo.exclude.services);
  Append(lists.scopes, slo.exclude.scopes);
  Append(lists.span_names, slo.exclude.span_names);
  const auto& key = policy.metadata.key;
  names.push_back(fmt::format("{}/{}", key.namespace_name, key.name));
  return {};
}

Status TakeFile(const std::string& text, Lists& lists, std::vector<std::string>& names) {
  for (const std::string& json : TRY(codec::YamlToJson(text))) {
    const kube::Document document = TRY(kube::Document::Parse(json));
    TRY(TakeObject(document.root(), lists, names));
  }
  return {};
}

}  // namespace

Result<ReadPolicies> ReadPolicyFiles(const std::vector<std::string>& files) {
  ReadPolicies read;
  Lists lists;
  for (const std::string& file_or_folder : files) {
    for (const std::string& file : TRY(FilesOf(file_or_folder))) {
      const std::string text = TRY(ReadTextFile(file));
      Status taken = TakeFile(text, lists, read.names);
      if (!taken) return Fail(std::move(taken).error().Within(file));
      read.text += text;
      read.text += '\0';
    }
  }
  read.rules = {.entrypoints = continuity::NameList(lists.entrypoints),
                .excluded_services = continuity::NameList(lists.services),
                .excluded_scopes = continuity::NameList(lists.scopes),
                .excluded_span_names = continuity::NameList(lists.span_names)};
  return read;
}

}  // namespace tracekeeper::analyzer
