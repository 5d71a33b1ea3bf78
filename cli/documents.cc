#include "cli/documents.h"

#include <fstream>
#include <istream>
#include <optional>

#include "src/codec/yaml.h"

namespace tracekeeper::cli {
namespace {

Result<std::string> ReadAll(std::istream& in, const std::string& file) {
  std::string text(kMaxDocumentBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return Fail(ErrorKind::kInvalid, "{}: cannot be read", file);
  if (text.size() > kMaxDocumentBytes) {
    return Fail(ErrorKind::kInvalid, "{}: longer than {} MiB", file, kMaxDocumentBytes >> 20U);
  }
  return text;
}

bool LooksLikeJson(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && text[first] == '{';
}

Result<std::vector<std::string>> JsonOf(const std::string& text) {
  // The JSON parser is stricter and some fifty times faster; JSON that it refuses may be YAML.
  if (LooksLikeJson(text) && kube::Document::Parse(text)) return std::vector{text};
  return codec::YamlToJson(text);
}

}  // namespace

Result<std::string> ReadText(const std::string& file, std::istream& standard_input) {
  if (file == "-") return ReadAll(standard_input, "standard input");
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return Fail(ErrorKind::kInvalid, "{}: cannot be opened: is the path right and readable?", file);
  }
  return ReadAll(in, file);
}

Result<std::vector<kube::Document>> ReadObjects(const std::string& file, const std::string& text) {
  const auto texts = JsonOf(text);
  if (!texts) return Fail(Error(texts.error()).Within(file));
  std::vector<kube::Document> objects;
  for (const std::string& json : *texts) {
    auto object = kube::Document::Parse(json);
    if (!object) return Fail(std::move(object).error().Within(file));
    if ((*object)["kind"].StringOr("") != "List") {
      objects.push_back(*std::move(object));
      continue;
    }
    for (const codec::JsonValue item : (*object)["items"].Elements()) {
      auto parsed = kube::Document::Parse(item.ToJson());
      if (!parsed) return Fail(std::move(parsed).error().Within(file));
      objects.push_back(*std::move(parsed));
    }
  }
  return objects;
}

Status RequirePod(codec::JsonValue object) {
  if (!object.is_object()) return Fail(ErrorKind::kInvalid, "is no object: a pod is expected");
  const std::string_view kind = object["kind"].StringOr("");
  if (!kind.empty() && kind != "Pod") {
    return Fail(ErrorKind::kInvalid,
                "is a {}, not a Pod: injection happens to pods; take one that it made "
                "(kubectl get pod NAME -o yaml)",
                kind);
  }
  if (!object["spec"].is_object()) {
    return Fail(ErrorKind::kInvalid, "is no pod: it has no spec");
  }
  return {};
}

Result<api::TracingPolicy> ReadPolicy(const std::string& file, const std::string& namespace_name,
                                      std::istream& standard_input) {
  const auto objects = TRY(ReadObjects(file, TRY(ReadText(file, standard_input))));
  std::optional<api::TracingPolicy> found;
  for (const kube::Document& object : objects) {
    if (object["kind"].StringOr("") != api::kTracingPolicyKind) continue;
    if (found) {
      return Fail(ErrorKind::kInvalid, "{}: holds more than one TracingPolicy; give one", file);
    }
    auto policy = api::DecodeTracingPolicy(object.root());
    if (!policy) return Fail(std::move(policy).error().Within(file));
    found = *std::move(policy);
  }
  if (!found) {
    return Fail(ErrorKind::kInvalid,
                "{}: holds no TracingPolicy (apiVersion tracekeeper.dev/v1alpha1)", file);
  }
  if (found->metadata.key.namespace_name.empty()) {
    found->metadata.key.namespace_name = namespace_name;
  }
  return *std::move(found);
}

}  // namespace tracekeeper::cli
