#pragma once
// The RotationPorts of one simulated leader.
//
// Threads:  one.
// Owner:    its leader; the world outlives it.
// Failure:  a leader that died has no effect any more and gets kCancelled from every call.

#include "tests/operator/controllers/rotation_world.h"

namespace tracekeeper::controllers {

class RotationWorld::Ports final : public RotationPorts {
 public:
  Ports(RotationWorld& world, Leader& leader) : world_(world), leader_(leader) {}

  Instant Now() override;
  Result<std::optional<Loaded>> Load() override;
  Result<std::string> Persist(const domain::RotationJournal& journal,
                              const std::string& resource_version) override;
  Result<domain::SourceFacts> ObserveSource() override;
  Result<domain::TargetMarks> ObserveTarget() override;
  Result<domain::VersionRecord> Propose(const domain::RotationJournal& journal) override;
  void Discard() override { proposal_.reset(); }
  Result<Done> Commit(const domain::RotationJournal& journal) override;
  Status Publish(const domain::RotationJournal& journal) override;
  Result<domain::ConsumerFacts> ObserveConsumers(const domain::RotationJournal& journal) override;
  Result<Done> Retire(const domain::RotationJournal& journal) override;
  Result<Done> Renew(const domain::VersionRecord& version) override;
  Status Audit(std::span<const std::string> lines) override;

 private:
  /// A call between its strike and its answer.
  template <typename Call>
  auto Make(Call call) -> decltype(call());
  Status Store(const domain::RotationJournal& journal, const std::string& resource_version);
  Status Write(const domain::RotationJournal& journal);
  [[nodiscard]] std::string ValueOf(const std::optional<domain::VersionRecord>& version) const;

  RotationWorld& world_;
  Leader& leader_;
  std::map<std::int64_t, std::string> values_;  // as this leader last saw them
  std::optional<std::string> proposal_;
};

struct RotationWorld::Leader {
  Leader(RotationWorld& world, Instant floor)
      : time(domain::TrustedTime::Unconfirmed(floor)), ports(world, *this), runner(ports) {}

  domain::TrustedTime time;
  Ports ports;
  RotationRunner runner;
  std::vector<std::string> requests;
  Instant again{};
  bool is_dead = false;
};

}  // namespace tracekeeper::controllers
