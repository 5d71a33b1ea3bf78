#include "operator/domain/sidecar_report.h"

#include "src/codec/json_value.h"

namespace tracekeeper::domain {
namespace {

constexpr std::size_t kMostDigest = 128;
constexpr std::size_t kMostRefusal = 300;

/// At most `limit` bytes of printable ASCII: what goes into a status and an Event.
std::string Clean(std::string_view text, std::size_t limit) {
  std::string result(text.substr(0, limit));
  for (char& c : result) {
    if (c < ' ' || c > '~') c = '?';
  }
  return result;
}

std::optional<std::int64_t> CredentialVersionIn(const codec::JsonValue& credentials) {
  for (const codec::JsonValue credential : credentials.Elements()) {
    if (credential["name"].StringOr("") != "export") continue;
    const auto version = credential["rotationVersion"].Integer();
    return version.value_or(0) > 0 ? version : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Result<SidecarReport> ParseSidecarReport(std::string_view text) {
  if (text.size() > kMostReportBytes) {
    return Fail(ErrorKind::kDecode, "an answer of {} bytes is no sidecar's", text.size());
  }
  codec::JsonParser parser;
  const codec::JsonValue root = TRY(parser.Parse(text));
  const codec::JsonValue configuration = root["configuration"];
  if (root["program"].StringOr("") != "tracekeeper-sidecar" || !configuration.is_object()) {
    return Fail(ErrorKind::kDecode, "what answers on the status port is no tracekeeper-sidecar");
  }
  SidecarReport report;
  report.digest = Clean(configuration["digest"].StringOr(""), kMostDigest);
  const std::string_view state = configuration["state"].StringOr("");
  if (state == "last_good" || state == "refused") {
    report.refusal =
        Clean(configuration["lastError"]["message"].StringOr("no reason given"), kMostRefusal);
  }
  report.credential_version = CredentialVersionIn(root["credentials"]);
  return report;
}

}  // namespace tracekeeper::domain
