#include "operator/domain/webhook_probe.h"

#include "operator/domain/names.h"
#include "src/codec/json_writer.h"
#include "src/crypto/digest.h"

namespace tracekeeper::domain {
namespace {

constexpr std::size_t kTokenLength = 32;
constexpr std::string_view kAnswered = "true";

}  // namespace

std::string ProbeToken(std::string_view configuration_json) {
  return crypto::Sha256Hex(configuration_json).substr(0, kTokenLength);
}

std::string ProbeConfigMapJson(std::string_view namespace_name, std::string_view token) {
  codec::JsonWriter json;
  json.BeginObject().Member("apiVersion", "v1").Member("kind", "ConfigMap");
  json.Key("metadata").BeginObject();
  json.Member("name", "tracekeeper-webhook-probe").Member("namespace", namespace_name);
  json.Key("labels").BeginObject();
  json.Member(kManagedByLabel, kManagedByValue).Member(kProbeLabel, token).EndObject();
  // Present, so that the webhook's patch can add to it without looking.
  json.Key("annotations").BeginObject().Member("tracekeeper.dev/purpose", "dry run").EndObject();
  return json.EndObject().EndObject().Take();
}

std::string_view ProbeAnswerPatch() {
  return R"([{"op":"add","path":"/metadata/annotations/tracekeeper.dev~1webhook-answered",)"
         R"("value":"true"}])";
}

bool IsProbeAnswered(const codec::JsonValue& config_map) {
  return config_map["metadata"]["annotations"][kProbeAnnotation].StringOr("") == kAnswered;
}

}  // namespace tracekeeper::domain
