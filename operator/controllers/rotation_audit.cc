#include "operator/controllers/rotation_audit.h"

#include <fmt/format.h>

#include "operator/domain/audit_chain.h"
#include "src/codec/decode.h"

namespace tracekeeper::controllers {
namespace {

std::string NoteOf(const domain::AuditRecord& record) {
  std::string note = record.from == 0
                         ? fmt::format("Credential {}: version {}", record.credential, record.to)
                         : fmt::format("Credential {}: version {} to {}", record.credential,
                                       record.from, record.to);
  fmt::format_to(std::back_inserter(note), ", rotation {} ({})", record.rotation, record.cause);
  if (!record.request_id.empty()) {
    fmt::format_to(std::back_inserter(note), ", Vault's request {}", record.request_id);
  }
  return note.append(".");
}

}  // namespace

void RotationAudit::Write(const domain::CredentialPlan& plan, std::span<const std::string> lines) {
  for (const std::string& line : lines) {
    log_.Info("Rotation audit", {{"record", line}});
    Tell(plan, line);
  }
}

void RotationAudit::Tell(const domain::CredentialPlan& plan, const std::string& line) {
  codec::JsonParser parser;
  const auto root = parser.Parse(line);
  if (!root) return;  // an Event is a courtesy: the log has the line
  const auto record = codec::Decode<domain::AuditRecord>(*root, "record");
  if (!record) return;
  events_.Record({.regarding = {.api_version = api::kTracingPolicies.ApiVersion(),
                                .kind = std::string(api::kTracingPolicyKind),
                                .key = plan.policy,
                                .uid = plan.identity.uid,
                                .resource_version = {}},
                  .type = kube::EventType::kNormal,
                  .reason = "Credential" + record->step,
                  .action = "Rotate",
                  .note = NoteOf(*record)});
}

}  // namespace tracekeeper::controllers
