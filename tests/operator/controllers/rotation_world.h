#pragma once
// RotationWorld simulates one credential in virtual time: a KV source with CAS, the journal and the
// target Secret with resourceVersions, consumers that load late and hold old values, verifiers that
// cache keys, and the leaders that rotate it, which crash, hang, are replaced while they hang and
// then go on writing. Whatever happens, it checks at every change that
//
//   no consumer holds a value that is revoked or that its source never had
//   every verifier knows what consumers sign with, and what they signed a token's life ago
//   each rotation made one version in the source
//   nothing is revoked before its overlap is over or while somebody uses it
//   the target never goes back to an older version
//   no rotation is late while source and leader were there, and none is early unless asked for
//
// Threads:  one.
// Failure:  what is broken is in violations(), with its time.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "operator/controllers/rotation_runner.h"
#include "operator/domain/trusted_time.h"

namespace tracekeeper::controllers {

enum class Fencing { kOn, kOff };

struct RotationWorldOptions {
  std::uint64_t seed = 1;
  domain::RotationSpec spec;
  int consumers = 3;
  int verifiers = 2;
  Duration consumer_delay = std::chrono::minutes(10);  // the most
  Duration token_life = std::chrono::minutes(5);
  /// Chances: of a call that its leader dies in it, or hangs in it while another takes over; of an
  /// hour that Vault is sealed, or that the wall clock jumps.
  double crash = 0.0;
  double hang = 0.0;
  double seal = 0.0;
  double jump = 0.0;
  Fencing fencing = Fencing::kOn;
};

/// Three days a rotation, an hour of overlap, and nothing goes wrong.
[[nodiscard]] RotationWorldOptions QuietWorld(std::uint64_t seed = 1);
/// The same, and all trouble at once: crashes, hangs, a sealed Vault, a wall clock that jumps, and
/// for every other seed consumers that are slower than the overlap.
[[nodiscard]] RotationWorldOptions TroubledWorld(std::uint64_t seed);

/// Where in its n-th call a leader is struck.
enum class Strike { kDieBefore, kDieAfter, kHang, kHangAndBeReplaced };

class RotationWorld {
 public:
  explicit RotationWorld(RotationWorldOptions options);
  ~RotationWorld();
  RotationWorld(const RotationWorld&) = delete;
  RotationWorld& operator=(const RotationWorld&) = delete;

  void RunFor(Duration duration);
  /// Until so many versions were retired in all; gives up after 100 periods.
  void RunUntilRetired(int count);

  /// The next leader, or the present one from here, is struck in its `call`-th call, once.
  void StrikeAt(int call, Strike strike, Duration hang = {});
  void RequestRotation(const std::string& value);
  void SealFor(Duration duration);
  void SetWallError(Duration error) { wall_error_ = error; }
  void DeleteTip();
  void UndeleteTip();
  /// As somebody else would.
  void WriteSource(const std::string& value);
  void LoseJournal() { journal_.reset(); }
  void SetSpec(const domain::RotationSpec& spec);
  void RestartLeader();

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] int versions() const { return static_cast<int>(source_.size()); }
  [[nodiscard]] int retired() const { return retired_; }
  [[nodiscard]] int calls() const { return calls_; }
  [[nodiscard]] int crashes() const { return crashes_; }
  [[nodiscard]] int hangs() const { return hangs_; }
  [[nodiscard]] std::string current_value() const;
  [[nodiscard]] const domain::CredentialReport& report() const { return report_; }
  [[nodiscard]] domain::RotationJournal journal() const;
  /// The audit as it was written, and whether it is whole up to the journal's head.
  [[nodiscard]] domain::AuditVerdict CheckAudit() const;

 private:
  class Ports;
  struct Leader;
  struct SourceVersion {
    std::string value;
    std::string mark;  // id of the rotation that wrote it
    enum class State { kPresent, kDeleted, kDestroyed } state = State::kPresent;
  };
  struct StoredJournal {
    domain::RotationJournal journal;
    std::map<std::int64_t, std::string> values;
    std::int64_t resource_version = 0;
  };
  struct Target {
    std::int64_t sequence = 0;
    std::int64_t epoch = 0;
    std::optional<Instant> begun;
    std::int64_t number = 0;  // of current
    std::string previous, current, next;
  };
  struct Consumer {
    std::string value;
    std::int64_t number = 0;
    std::optional<Instant> loads_at;
  };
  struct Verifier {
    std::vector<std::string> known;
    std::optional<Instant> loads_at;
  };
  struct Token {
    std::string value;
    Instant until{};
  };

  void RunUntil(Instant end);
  void Pass(Instant until);
  [[nodiscard]] Instant NextEvent() const;
  void RunLeader();
  void Hour();
  void Reload();
  void TargetChanged(const Target& before);
  void Check();
  void Violated(std::string sentence);
  void CheckCommit(const domain::RotationJournal& journal);
  void CheckRetire(const domain::VersionRecord& version);
  [[nodiscard]] bool IsSealed() const { return now_ < sealed_until_; }
  [[nodiscard]] bool IsValid(const std::string& value) const;
  [[nodiscard]] domain::ClockReading Clocks() const;
  [[nodiscard]] Duration Below(Duration bound);
  [[nodiscard]] bool Happens(double chance);

  std::optional<Strike> NextStrike();
  void Hang(Strike strike);

  RotationWorldOptions options_;
  std::mt19937_64 random_;
  Instant now_;
  Instant next_hour_;
  Duration wall_error_{};
  Instant sealed_until_{};
  std::vector<SourceVersion> source_;
  std::optional<StoredJournal> journal_;
  std::int64_t last_resource_version_ = 0;
  Target target_;
  std::int64_t newest_in_use_ = 0;
  Instant current_since_{};
  std::vector<Consumer> consumers_;
  std::vector<Verifier> verifiers_;
  std::vector<Token> tokens_;
  std::string annotation_;
  std::unique_ptr<Leader> leader_;
  int depth_ = 0;
  int calls_ = 0;
  std::optional<int> strike_at_;
  Strike strike_ = Strike::kDieBefore;
  Duration strike_hang_{};  // of the one that was asked for
  Duration hang_{};         // of the one that happens now
  std::optional<Instant> last_commit_;
  Instant last_begun_{};
  Duration excused_{};  // since the last commit: nobody could have rotated
  int retired_ = 0;
  int crashes_ = 0;
  int hangs_ = 0;
  std::string audit_;
  domain::CredentialReport report_;
  std::vector<std::string> violations_;
};

}  // namespace tracekeeper::controllers
