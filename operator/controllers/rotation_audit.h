#pragma once
// RotationAudit writes the records of rotations where they are kept: as one line of the log each,
// which is the audit itself, and as an Event of the policy, for people.
//
//   {"msg":"Rotation audit","record":"{\"v\":1,...}"}
//
// Threads:  safe from any thread.
// Owner:    wiring; recorder and log outlive it.

#include <span>
#include <string>

#include "operator/domain/credential_plan.h"
#include "src/base/log.h"
#include "src/kube/events.h"

namespace tracekeeper::controllers {

class RotationAudit {
 public:
  RotationAudit(kube::EventRecorder& events, const Logger& log) : events_(events), log_(log) {}

  void Write(const domain::CredentialPlan& plan, std::span<const std::string> lines);

 private:
  void Tell(const domain::CredentialPlan& plan, const std::string& line);

  kube::EventRecorder& events_;
  const Logger log_;
};

}  // namespace tracekeeper::controllers
