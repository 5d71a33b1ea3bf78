#include "tests/operator/controllers/rotation_world_ports.h"

#include <fmt/format.h>

#include "src/vault/failure.h"

namespace tracekeeper::controllers {
namespace {

using domain::RotationJournal;

tl::unexpected<Error> Died() { return Fail(ErrorKind::kCancelled, "the process died"); }

tl::unexpected<Error> FailAs(ErrorKind kind, std::string_view label) {
  Error error{kind, std::string(label), std::nullopt};
  error.reason = label;
  return Fail(std::move(error));
}

}  // namespace

template <typename Call>
auto RotationWorld::Ports::Make(Call call) -> decltype(call()) {
  if (leader_.is_dead) return Died();
  const auto strike = world_.NextStrike();
  if (strike == Strike::kHang || strike == Strike::kHangAndBeReplaced) {
    world_.Hang(*strike);
  }
  if (strike == Strike::kDieBefore) {
    leader_.is_dead = true;
    return Died();
  }
  auto answer = call();
  if (strike == Strike::kDieAfter) {
    leader_.is_dead = true;
    return Died();
  }
  return answer;
}

Instant RotationWorld::Ports::Now() { return *leader_.time.Now(world_.Clocks()); }

Result<std::optional<RotationPorts::Loaded>> RotationWorld::Ports::Load() {
  return Make([&]() -> Result<std::optional<Loaded>> {
    if (!world_.journal_) return std::nullopt;
    values_ = world_.journal_->values;
    return Loaded{world_.journal_->journal, std::to_string(world_.journal_->resource_version)};
  });
}

Result<std::string> RotationWorld::Ports::Persist(const RotationJournal& journal,
                                                  const std::string& resource_version) {
  return Make([&]() -> Result<std::string> {
    TRY(Store(journal, resource_version));
    return std::to_string(world_.journal_->resource_version);
  });
}

Status RotationWorld::Ports::Store(const RotationJournal& journal,
                                   const std::string& resource_version) {
  auto& stored = world_.journal_;
  const std::string there = stored ? std::to_string(stored->resource_version) : "";
  if (there != resource_version) return Fail(ErrorKind::kConflict, "the journal was written");
  if (journal.sequence % 16 == 0) {
    const auto again = RotationJournal::FromJson(journal.ToJson());
    if (!again || *again != journal) world_.Violated("a journal is not read as it was written");
  }
  if (stored && journal.sequence != stored->journal.sequence + 1) {
    world_.Violated("the sequence does not grow by one");
  }
  if (!stored) stored = StoredJournal{{}, {}, 0};
  stored->journal = journal;
  stored->resource_version = ++world_.last_resource_version_;
  if (proposal_ && journal.next && !stored->values.contains(journal.next->number)) {
    stored->values[journal.next->number] = *std::exchange(proposal_, std::nullopt);
  }
  std::erase_if(stored->values, [&](const auto& entry) {
    for (const auto* slot :
         {&journal.previous, &journal.current, &journal.next, &journal.retiring}) {
      if (*slot && (*slot)->number == entry.first) return false;
    }
    return true;
  });
  values_ = stored->values;
  return {};
}

Result<domain::SourceFacts> RotationWorld::Ports::ObserveSource() {
  return Make([&]() -> Result<domain::SourceFacts> {
    if (world_.IsSealed())
      return FailAs(ErrorKind::kUnavailable, vault::RowOf(vault::Failure::kSealed).label);
    if (world_.source_.empty()) return domain::SourceFacts{domain::SourceState::kAbsent, 0};
    domain::SourceFacts facts{domain::SourceState::kPresent, world_.versions()};
    const auto state = world_.source_.back().state;
    if (state == SourceVersion::State::kDeleted) facts.state = domain::SourceState::kDeleted;
    if (state == SourceVersion::State::kDestroyed) facts.state = domain::SourceState::kDestroyed;
    return facts;
  });
}

Result<domain::TargetMarks> RotationWorld::Ports::ObserveTarget() {
  return Make([&]() -> Result<domain::TargetMarks> {
    return domain::TargetMarks{world_.target_.sequence, world_.target_.epoch, world_.target_.begun};
  });
}

Result<domain::VersionRecord> RotationWorld::Ports::Propose(const RotationJournal& journal) {
  return Make([&]() -> Result<domain::VersionRecord> {
    if (world_.IsSealed())
      return FailAs(ErrorKind::kUnavailable, vault::RowOf(vault::Failure::kSealed).label);
    domain::VersionRecord record;
    const std::int64_t known = journal.current ? journal.current->source_version : 0;
    record.base = world_.versions();
    const bool is_there =
        record.base > known && world_.source_.back().state == SourceVersion::State::kPresent;
    if (is_there) {
      record.state = domain::VersionState::kStored;
      record.source_version = record.base;
      proposal_ = world_.source_.back().value;
    } else {
      proposal_ = fmt::format("value-{:x}", world_.random_());
    }
    return record;
  });
}

Result<RotationPorts::Done> RotationWorld::Ports::Commit(const RotationJournal& journal) {
  return Make([&]() -> Result<Done> {
    if (world_.IsSealed())
      return FailAs(ErrorKind::kUnavailable, vault::RowOf(vault::Failure::kSealed).label);
    auto& source = world_.source_;
    if (!source.empty() && source.back().mark == journal.rotation) {
      return Done{.source_version = world_.versions(), .request_id = "again"};
    }
    if (world_.versions() != journal.next->base) {
      return FailAs(ErrorKind::kConflict, vault::RowOf(vault::Failure::kCasConflict).label);
    }
    source.push_back({ValueOf(journal.next), journal.rotation, {}});
    world_.CheckCommit(journal);
    return Done{.source_version = world_.versions(), .request_id = "request"};
  });
}

std::string RotationWorld::Ports::ValueOf(
    const std::optional<domain::VersionRecord>& version) const {
  if (!version) return {};
  const auto found = values_.find(version->number);
  if (found != values_.end()) return found->second;
  world_.Violated(fmt::format("the value of version {} is lost", version->number));
  return {};
}

Status RotationWorld::Ports::Publish(const RotationJournal& journal) {
  return Make([&] { return Write(journal); });
}

Status RotationWorld::Ports::Write(const RotationJournal& journal) {
  const Target before = world_.target_;
  if (world_.options_.fencing == Fencing::kOn && before.sequence > journal.sequence) {
    return FailAs(ErrorKind::kConflict, domain::failure::kFenced);
  }
  Target& target = world_.target_;
  target = {.sequence = journal.sequence,
            .epoch = journal.epoch,
            .begun = journal.begun.at,
            .number = journal.current ? journal.current->number : 0,
            .previous = ValueOf(journal.previous),
            .current = ValueOf(journal.current),
            .next = ValueOf(journal.next)};
  const bool is_same = target.previous == before.previous && target.current == before.current &&
                       target.next == before.next;
  if (!is_same && before.sequence == journal.sequence) {
    world_.Violated("two different targets of one sequence");
  }
  if (!is_same) world_.TargetChanged(before);
  return {};
}

Result<domain::ConsumerFacts> RotationWorld::Ports::ObserveConsumers(
    const RotationJournal& journal) {
  return Make([&]() -> Result<domain::ConsumerFacts> {
    domain::ConsumerFacts facts;
    for (const Consumer& consumer : world_.consumers_) {
      ++facts.total;
      if (consumer.number != journal.current->number) ++facts.stale;
    }
    return facts;
  });
}

Result<RotationPorts::Done> RotationWorld::Ports::Retire(const RotationJournal& journal) {
  return Make([&]() -> Result<Done> {
    if (world_.IsSealed())
      return FailAs(ErrorKind::kUnavailable, vault::RowOf(vault::Failure::kSealed).label);
    const auto index = static_cast<std::size_t>(journal.retiring->source_version - 1);
    auto& state = world_.source_.at(index).state;
    if (state == SourceVersion::State::kDestroyed) return Done{.request_id = "gone"};
    world_.CheckRetire(*journal.retiring);
    state = SourceVersion::State::kDestroyed;
    ++world_.retired_;
    world_.Check();
    return Done{.request_id = "request"};
  });
}

Result<RotationPorts::Done> RotationWorld::Ports::Renew(const domain::VersionRecord&) {
  return Make([&]() -> Result<Done> {
    world_.Violated("a value of KV has no lease");
    return Done{};
  });
}

Status RotationWorld::Ports::Audit(std::span<const std::string> lines) {
  return Make([&]() -> Status {
    for (const std::string& line : lines) world_.audit_ += line + "\n";
    return {};
  });
}

}  // namespace tracekeeper::controllers
