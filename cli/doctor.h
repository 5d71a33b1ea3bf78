#pragma once
// Doctor looks at a cluster and says what Tracekeeper needs and does not find, in sentences with
// what to do about it. It only reads.
//
// Threads:  one thread.
// Owner:    the command; client and clock outlive it.
// Failure:  a check that cannot look (no right, no answer) is kUnknown, with the reason. When the
//           API server itself cannot be asked, Examine() has that one check.

#include <string>
#include <vector>

#include "cli/world.h"
#include "src/base/clock.h"
#include "src/kube/client.h"

namespace tracekeeper::cli {

struct Check {
  enum class State {
    kOk,
    kRemark,   // works, and somebody should know
    kMissing,  // does not work until somebody does `advice`
    kUnknown,  // could not look
  };

  State state = State::kOk;
  std::string subject;  // "CRDs"
  std::string sentence;
  std::string advice;

  bool operator==(const Check&) const = default;
};

/// What the operator's Lease and service account are called.
inline constexpr std::string_view kOperatorName = "tracekeeper-operator";

/// "ok", "remark", "missing", "unknown".
std::string_view NameOf(Check::State state);

struct DoctorOptions {
  std::string server;  // for sentences: "https://10.0.0.1:6443"
  std::string operator_namespace = "tracekeeper-system";
};

class Doctor {
 public:
  Doctor(DoctorOptions options, kube::Client& client, const Clock& clock)
      : options_(std::move(options)), client_(client), clock_(clock) {}

  std::vector<Check> Examine(const StopToken& stop);

 private:
  [[nodiscard]] bool CheckServer();
  void CheckOwnRights();
  bool CheckCustomResource();
  void CheckLeader();
  void CheckOtherOperators();
  void CheckOperatorRights();
  void CheckSecretRights(const std::string& account);
  void CheckWebhook();
  void CheckWebhookCall(codec::JsonValue configuration);
  void CheckWebhookCertificate(codec::JsonValue webhook);
  void CheckEndpoints(const std::string& namespace_name, const std::string& service);
  void CheckCoverage();
  void CheckNodes();
  void CheckPolicies();
  void CheckPodSecurity();
  [[nodiscard]] bool AnyPolicyRestartsByTemplate() const;

  void Add(Check::State state, std::string subject, std::string sentence, std::string advice = {});

  DoctorOptions options_;
  kube::Client& client_;
  const Clock& clock_;
  StopToken stop_;
  World world_;
  std::vector<Check> checks_;
};

}  // namespace tracekeeper::cli
