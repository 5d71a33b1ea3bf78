#include "tests/operator/domain/rotation_samples.h"

#include <fmt/format.h>

namespace tracekeeper::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class Maker {
 public:
  explicit Maker(std::mt19937_64& random) : random_(random) {}

  std::int64_t Below(std::int64_t bound) {
    return std::uniform_int_distribution<std::int64_t>(0, bound - 1)(random_);
  }
  std::int64_t Count() { return Below(4) == 0 ? INT64_MAX - Below(3) : Below(1000); }
  std::string Text() {
    static constexpr std::string_view kLetters = "abc XYZ019\"\\/{}[]:,\n\t\x01<>&'";
    std::string text;
    for (std::int64_t i = Below(20); i > 0; --i) {
      text += kLetters[static_cast<std::size_t>(Below(kLetters.size()))];
    }
    return text + (Below(5) == 0 ? "\xC3\xA9" : "");
  }
  Moment Time() {
    return Moment::Of(
        Instant(hours(24 * 365 * 20) + std::chrono::microseconds(Below(1'500'000'000'000'000))));
  }
  template <typename Make>
  auto Maybe(Make make) -> std::optional<decltype(make())> {
    if (Below(2) == 0) return std::nullopt;
    return make();
  }
  template <typename E>
  E Any() {
    const auto values = ValuesOf(E{});
    return values[static_cast<std::size_t>(Below(values.size()))].value;
  }
  VersionRecord Version() {
    return {.number = 1 + Below(1000),
            .state = Any<VersionState>(),
            .base = Count(),
            .source_version = Count(),
            .source_id = Text(),
            .source_digest = Text(),
            .created = Time(),
            .activated = Maybe([&] { return Time(); }),
            .valid_from = Maybe([&] { return Time(); }),
            .valid_until = Maybe([&] { return Time(); }),
            .fixed = Below(2) == 0};
  }
  std::vector<std::string> Texts(std::size_t most) {
    std::vector<std::string> texts(
        static_cast<std::size_t>(Below(static_cast<std::int64_t>(most) + 1)));
    for (std::string& text : texts) text = Text();
    return texts;
  }

 private:
  std::mt19937_64& random_;
};

}  // namespace

RotationJournal RandomJournal(std::mt19937_64& random) {
  Maker make(random);
  RotationJournal journal;
  journal.object = make.Text();
  journal.uid = make.Text();
  journal.credential = make.Text();
  journal.sequence = make.Count();
  journal.epoch = make.Count();
  journal.rotation = make.Text();
  journal.cause = make.Any<RotationCause>();
  journal.phase = make.Any<RotationPhase>();
  journal.phase_began = make.Time();
  journal.begun = make.Time();
  journal.previous = make.Maybe([&] { return make.Version(); });
  journal.current = make.Version();
  journal.next = make.Version();
  if (journal.phase != RotationPhase::kPublish && make.Below(2) == 0) journal.next.reset();
  journal.retiring = make.Maybe([&] { return make.Version(); });
  journal.drained = make.Maybe([&] { return make.Time(); });
  journal.retire_not_before = make.Maybe([&] { return make.Time(); });
  journal.consumers = make.Count();
  journal.stale_consumers = make.Count();
  journal.source_digest = make.Text();
  journal.target_digest = make.Text();
  journal.published_digest = make.Text();
  journal.requests = make.Texts(RotationJournal::kMostRequests);
  journal.accepted = make.Texts(RotationJournal::kMostRequests);
  journal.last_success = make.Maybe([&] { return make.Time(); });
  journal.failure =
      make.Maybe([&] { return FailureRecord{make.Text(), make.Time(), make.Count()}; });
  journal.audit = {make.Count(), make.Text()};
  journal.unsent = make.Texts(RotationJournal::kMostUnsent);
  return journal;
}

std::vector<std::string> AuditLines(std::size_t count, const std::string& credential) {
  std::vector<std::string> lines;
  AuditHead head;
  for (std::size_t i = 0; i < count; ++i) {
    AuditRecord record;
    record.object = "shop/checkout";
    record.uid = "0d3c6a54";
    record.credential = credential;
    record.rotation = fmt::format("r-{}", i / 5);
    record.step = "Published";
    record.cause = "Due";
    record.from = static_cast<std::int64_t>(i / 5);
    record.to = record.from + 1;
    record.request_id = fmt::format("request-{}", i);
    record.actor = "tracekeeper-operator-0";
    record.outcome = "ok";
    record.time = Moment::Of(Instant(hours(480000) + std::chrono::seconds(i)));
    AuditLine line = NextAuditLine(std::move(record), head);
    lines.push_back(std::move(line.text));
    head = std::move(line.head);
  }
  return lines;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

RotationSpec Spec() {
  RotationSpec spec;
  spec.every = hours(72);
  spec.overlap = hours(1);
  spec.activate_after = minutes(10);
  spec.linger = minutes(6);
  spec.source_digest = "source";
  spec.target_digest = "target";
  return spec;
}

RotationFacts Facts(std::int64_t version) {
  RotationFacts facts;
  facts.source = {SourceState::kPresent, version};
  return facts;
}

VersionRecord Version(std::int64_t number) {
  VersionRecord version;
  version.number = number;
  version.state = VersionState::kStored;
  version.source_version = number;
  version.source_digest = "source";
  version.created = Moment::Of(kNow - hours(2));
  return version;
}

RotationJournal Idle() {
  RotationJournal journal = NewRotationJournal({"shop/checkout", "uid", "otlp"}, {}, kNow);
  journal.epoch = 4;
  journal.sequence = 40;
  journal.begun = Moment::Of(kNow - hours(1));
  journal.current = Version(4);
  journal.current->activated = journal.last_success = Moment::Of(kNow - hours(1));
  journal.source_digest = "source";
  journal.target_digest = journal.published_digest = "target";
  return journal;
}

RotationJournal In(RotationPhase phase, Duration since) {
  RotationJournal journal = Idle();
  journal.epoch = 5;
  journal.cause = RotationCause::kDue;
  journal.phase = phase;
  journal.phase_began = Moment::Of(kNow - since);
  return journal;
}

RotationJournal WithNext(RotationJournal journal, VersionState state) {
  journal.next = Version(5);
  journal.next->state = state;
  return journal;
}

RotationJournal Draining(Duration since, std::optional<Duration> drained) {
  RotationJournal journal = In(RotationPhase::kDrain, since);
  journal.previous = Version(4);
  journal.current = Version(5);
  journal.current->activated = Moment::Of(kNow - since);
  journal.retire_not_before = Moment::Of(kNow - since + hours(1));
  if (drained) journal.drained = Moment::Of(kNow - *drained);
  return journal;
}

RotationSpec With(RotationSource source) {
  return But(Spec(), [&](RotationSpec& s) { s.source = source; });
}

RotationFacts Source(SourceState state, std::int64_t version) {
  return But(Facts(), [&](RotationFacts& f) { f.source = {state, version}; });
}

RotationFacts Consumers(std::int64_t stale) {
  return But(Facts(), [&](RotationFacts& f) { f.consumers = ConsumerFacts{3, stale}; });
}

RotationJournal New() { return NewRotationJournal({"shop/checkout", "uid", "otlp"}, {}, kNow); }

}  // namespace tracekeeper::domain
