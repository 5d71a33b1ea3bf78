#include "operator/domain/security_defaults.h"

#include <fmt/format.h>

#include <algorithm>

namespace tracekeeper::domain {
namespace {

using codec::JsonValue;

constexpr std::string_view kSeccomp = R"({"type":"RuntimeDefault"})";
constexpr std::string_view kDropAll = R"(["ALL"])";
constexpr std::string_view kCapabilities = R"({"drop":["ALL"]})";

/// Absent or null: nobody has chosen.
bool IsUnset(const JsonValue& value) { return !OriginOf(value).empty(); }

bool Holds(const JsonValue& list, std::string_view text) {
  return AnyElement(list, [&](const JsonValue& item) { return item.StringOr("") == text; });
}

/// Whether the API server refuses allowPrivilegeEscalation: false on this container.
bool NeedsPrivilege(const JsonValue& context) {
  const JsonValue added = context["capabilities"]["add"];
  return context["privileged"].BoolOr(false) || Holds(added, "SYS_ADMIN") ||
         Holds(added, "CAP_SYS_ADMIN");
}

struct Choice {
  bool no_escalation;
  bool capabilities;
  bool non_root;
  bool seccomp;
};

/// Which of the four fields nobody has chosen.
Choice OpenChoices(const PodView& pod, const ContainerView& container, SecurityPlan& plan) {
  const JsonValue& own = container.security_context;
  const JsonValue& shared = pod.security_context;
  const JsonValue user = IsUnset(own["runAsUser"]) ? shared["runAsUser"] : own["runAsUser"];
  const JsonValue non_root =
      IsUnset(own["runAsNonRoot"]) ? shared["runAsNonRoot"] : own["runAsNonRoot"];
  const JsonValue seccomp =
      IsUnset(own["seccompProfile"]) ? shared["seccompProfile"] : own["seccompProfile"];
  const JsonValue drop = own["capabilities"]["drop"];

  const bool is_root = user.IntegerOr(1) == 0;
  Choice open{
      .no_escalation = IsUnset(own["allowPrivilegeEscalation"]),
      .capabilities = IsVacant(drop),
      .non_root = IsUnset(non_root) && !is_root,
      .seccomp = IsUnset(seccomp),
  };
  if (own["allowPrivilegeEscalation"].BoolOr(false))
    plan.kept.emplace_back("allowPrivilegeEscalation");
  if (!open.capabilities && !Holds(drop, "ALL")) plan.kept.emplace_back("capabilities.drop");
  if (is_root) plan.kept.emplace_back("runAsUser");
  if (!non_root.BoolOr(true)) plan.kept.emplace_back("runAsNonRoot");
  if (seccomp["type"].StringOr("") == "Unconfined") plan.kept.emplace_back("seccompProfile");
  return open;
}

class FieldAdder {
 public:
  FieldAdder(SecurityPlan& plan, const JsonValue& context) : plan_(plan), context_(context) {}

  void Add(std::string_view name, std::string_view json) {
    plan_.fields.push_back({fmt::format("securityContext/{}", name), std::string(json)});
    plan_.was.push_back({fmt::format("securityContext.{}", name), OriginOf(context_[name])});
  }

  void AddCapabilities() {
    const JsonValue capabilities = context_["capabilities"];
    if (IsUnset(capabilities)) return Add("capabilities", kCapabilities);
    const JsonValue drop = capabilities["drop"];
    const std::string_view state = OriginOf(drop);
    plan_.fields.push_back({"securityContext/capabilities/drop", std::string(kDropAll)});
    plan_.was.push_back(
        {"securityContext.capabilities.drop", state.empty() ? Origin::kEmptyList : state});
  }

 private:
  SecurityPlan& plan_;
  const JsonValue& context_;
};

std::string WholeContext(const Choice& open) {
  std::string json = "{";
  const auto add = [&](bool wanted, std::string_view name, std::string_view value) {
    if (!wanted) return;
    json.append(json.size() > 1 ? "," : "").append("\"").append(name).append("\":").append(value);
  };
  add(open.no_escalation, "allowPrivilegeEscalation", "false");
  add(open.capabilities, "capabilities", kCapabilities);
  add(open.non_root, "runAsNonRoot", "true");
  add(open.seccomp, "seccompProfile", kSeccomp);
  return json.append("}");
}

}  // namespace

SecurityPlan PlanSecurityDefaults(const PodView& pod, const ContainerView& container) {
  SecurityPlan plan;
  const JsonValue& own = container.security_context;
  if (NeedsPrivilege(own)) {
    plan.kept.emplace_back("privileged");
    return plan;
  }
  const Choice open = OpenChoices(pod, container, plan);
  if (IsUnset(own)) {
    plan.fields.push_back({"securityContext", WholeContext(open)});
    plan.was.push_back({"securityContext", OriginOf(own)});
    return plan;
  }
  FieldAdder adder(plan, own);
  if (open.no_escalation) adder.Add("allowPrivilegeEscalation", "false");
  if (open.capabilities) adder.AddCapabilities();
  if (open.non_root) adder.Add("runAsNonRoot", "true");
  if (open.seccomp) adder.Add("seccompProfile", kSeccomp);
  return plan;
}

std::string OwnSecurityContextJson(std::int64_t user) {
  return fmt::format(
      R"({{"allowPrivilegeEscalation":false,"capabilities":{{"drop":["ALL"]}},"privileged":false,)"
      R"("readOnlyRootFilesystem":true,"runAsGroup":{0},"runAsNonRoot":true,"runAsUser":{0},)"
      R"("seccompProfile":{{"type":"RuntimeDefault"}}}})",
      user);
}

}  // namespace tracekeeper::domain
