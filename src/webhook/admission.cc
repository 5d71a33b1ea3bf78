#include "src/webhook/admission.h"

#include <algorithm>

#include "src/codec/base64.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::webhook {
namespace {

constexpr std::string_view kVersion = "admission.k8s.io/v1";

// Cuts at a character's start, so that the answer stays UTF-8.
std::string_view CutWarning(std::string_view warning) {
  if (warning.size() <= kMaxWarningBytes) return warning;
  std::size_t end = kMaxWarningBytes;
  while (end > 0 && (static_cast<unsigned char>(warning[end]) & 0xC0U) == 0x80U) --end;
  return warning.substr(0, end);
}

void WriteWarnings(codec::JsonWriter& json, const std::vector<std::string>& warnings) {
  if (warnings.empty()) return;
  json.Key("warnings").BeginArray();
  const std::size_t count = std::min(warnings.size(), kMaxWarnings);
  for (std::size_t i = 0; i < count; ++i) json.String(CutWarning(warnings[i]));
  json.EndArray();
}

}  // namespace

Result<AdmissionRequest> ReadAdmissionReview(const codec::JsonValue& review) {
  if (!review.is_object()) {
    return Fail(ErrorKind::kDecode, "the body is not a JSON object: send an AdmissionReview");
  }
  const std::string_view kind = review["kind"].StringOr("");
  const std::string_view version = review["apiVersion"].StringOr("");
  if (kind != "AdmissionReview" || version != kVersion) {
    return Fail(ErrorKind::kInvalid,
                "expected kind AdmissionReview of {}, got kind \"{}\" of \"{}\"", kVersion, kind,
                version);
  }
  const codec::JsonValue request = review["request"];
  if (!request.is_object()) {
    return Fail(ErrorKind::kInvalid, "the AdmissionReview has no request");
  }
  AdmissionRequest result;
  result.api_version = version;
  result.uid = request["uid"].StringOr("");
  if (result.uid.empty()) {
    return Fail(ErrorKind::kInvalid, "the AdmissionReview's request has no uid");
  }
  result.operation = request["operation"].StringOr("");
  result.namespace_name = request["namespace"].StringOr("");
  result.name = request["name"].StringOr("");
  result.resource = request["resource"]["resource"].StringOr("");
  result.subresource = request["subResource"].StringOr("");
  result.dry_run = request["dryRun"].BoolOr(false);
  result.object = request["object"];
  return result;
}

std::string WriteAdmissionReview(const AdmissionRequest& request,
                                 const AdmissionResponse& response) {
  codec::JsonWriter json;
  json.BeginObject()
      .Member("apiVersion", request.api_version)
      .Member("kind", "AdmissionReview")
      .Key("response")
      .BeginObject()
      .Member("uid", request.uid)
      .Key("allowed")
      .Bool(response.allowed);
  if (!response.patch.empty()) {
    json.Member("patchType", "JSONPatch").Member("patch", codec::EncodeBase64(response.patch));
  }
  WriteWarnings(json, response.warnings);
  if (!response.allowed) {
    json.Key("status").BeginObject().Key("code").Integer(403).Member("message", response.message);
    json.EndObject();
  }
  json.EndObject().EndObject();
  return json.Take();
}

}  // namespace tracekeeper::webhook
