#pragma once
// StreamShard judges a share of a stream: the traces whose ids fall to it.
//
//   spans, logs -> span table -> settled -> questions to the join stage -> answers -> counted
//                       ^                                                                |
//                       +--- kept, to be judged again with what comes late --------------+
//
// A trace is settled when nothing of it came for the settle window. It is counted when the join
// stage had as long to answer. It is remembered from then on until the time is over or the room is
// needed; a span that comes in between has it judged again, and what changed is counted as
// repaired. So does an answer that changes. Once it is forgotten, a fingerprint of it says that a
// span is late and begins no trace.
//
// Time comes in as ticks of the caller's: nothing here reads a clock.
//
// Threads:  one thread. Names and shapes may grow in another.
// Owner:    names and shapes outlive it.
// Cost:     Insert allocates nothing. Judging a trace that came late, or asked, does.
// Source:   docs/reference/verdicts.md, section 7.

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/continuity/cluster_judge.h"
#include "src/continuity/fingerprints.h"
#include "src/continuity/join_input.h"
#include "src/continuity/loose_logs.h"
#include "src/continuity/plain_trace.h"
#include "src/continuity/shape_cards.h"
#include "src/continuity/span_reader.h"
#include "src/continuity/span_table.h"
#include "src/continuity/tally.h"

namespace tracekeeper::continuity {

struct ShardOptions {
  SpanTable::Options table;
  std::size_t fingerprints = std::size_t{1} << 16U;
  std::uint8_t number = 0;
  /// How long the join stage has to answer.
  Tick join_window = 100;
  /// How long a trace is remembered once it is counted.
  Tick memory = 6000;
  /// Microseconds since 1970 at tick 0. 0: how late spans arrive is not known.
  Microseconds origin = 0;
};

/// Beside the verdicts, for metrics.
struct ShardCounts {
  std::uint64_t spans = 0;
  std::uint64_t logs = 0;
  std::uint64_t shed_traces = 0;      // by their roots
  std::uint64_t forgotten_early = 0;  // counted, and room was needed
  std::uint64_t late_spans = 0;       // of traces that were forgotten
};

/// What a shard knows of one trace.
struct KnownTrace {
  enum class State : std::uint8_t {
    kWaiting,    // for the rest of it
    kAsking,     // whether other traces explain it
    kCounted,    // and repaired by what comes late
    kShed,       // counted as unknown
    kForgotten,  // was counted
  };
  State state = State::kWaiting;
  std::size_t spans = 0;
  std::optional<TraceReport> report;  // while it is asking, as it stands; once counted
};

class StreamShard {
 public:
  StreamShard(const ShardOptions& options, const Names& names, const ShapeTable& shapes,
              std::shared_ptr<const Epoch> epoch);

  /// For what asks from now on. At most 255 of them within `memory`: a judgement that is corrected
  /// is found again by the epoch it was made in.
  void UseEpoch(std::shared_ptr<const Epoch> epoch);

  /// Until then everything waits, and settled traces are samples.
  void StartJudging() { is_judging_ = true; }
  /// Before that: all that came waits for this longer window, and may be a sample once more.
  void DrawAgain(Microseconds settle_window);
  /// Of settled traces, those with a smaller hash are samples.
  void SampleBelow(std::uint64_t hash) { sample_below_ = hash; }

  /// In effect with the next Advance or Flush at the latest.
  void Insert(const ReadSpan& span, Tick now);
  void Insert(const ReadLog& log, Tick now);
  void Flush();
  /// Judges what is due, and tells the join stage. False where that is much, and some is left: what
  /// was told is to be taken first, so that it never takes more memory than so much.
  bool Advance(Tick now, JoinInput& input);
  void Take(const GivenAnswer& answer);
  /// Nothing where it never came, or is out of mind. By its short form too.
  std::optional<KnownTrace> Look(const otlp::TraceId& id);

  /// Of the shard that asked.
  [[nodiscard]] static std::size_t NumberIn(AskerId asker);

  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] const ShardCounts& counts() const { return counts_; }
  [[nodiscard]] std::size_t pending_spans() const { return table_.spans() - judged_spans_; }
  [[nodiscard]] std::size_t table_bytes() const;
  [[nodiscard]] std::size_t budget_bytes() const { return table_.budget_bytes(); }

 private:
  using RecordNumber = SpanTable::RecordNumber;
  using Phase = SpanTable::Phase;
  using Answers = std::vector<Answer>;
  static constexpr std::size_t kWheelSlots = 1024;

  // In Record::marks.
  static constexpr std::uint8_t kIsInWheel = 1;
  static constexpr std::uint8_t kIsRemembered = 2;  // among judged_
  static constexpr std::uint8_t kHasAsked = 4;
  static constexpr std::uint8_t kAskedForCounted = 8;  // its questions are those that counted
  static constexpr std::uint8_t kIsPlain = 16;         // when it asked
  static constexpr std::uint8_t kIsSampled = 32;

  static void Mark(SpanTable::Record& record, unsigned marks) {
    record.marks = static_cast<std::uint8_t>(record.marks | marks) & 0x3FU;
  }
  static void Unmark(SpanTable::Record& record, unsigned marks) {
    record.marks = static_cast<std::uint8_t>(record.marks & ~marks) & 0x3FU;
  }

  /// Of a record that was given an answer. All others are kNo.
  struct AnswersOf {
    Answers counted;
    Answers pending;
  };
  /// A trace's rv, as it was known when so many of its spans had come.
  struct SaidRandomness {
    ClusterRandomness of;
    std::uint32_t spans = 0;
  };
  struct SentSpan {
    std::uint64_t high = 0;  // of its trace id
    Span span;
  };
  static std::uint64_t IdOf(const SentSpan& sent) { return sent.span.id; }

  /// Spans on their way into the table. Each waits until the memory that it goes to is in the
  /// cache, while others come: a span costs the time of its instructions, not of three looks at
  /// memory.
  struct Arriving {
    otlp::TraceId trace;
    Span span;
    std::uint64_t randomness = 0;
    bool has_randomness = false;
    Tick now = 0;
    std::uint32_t hash = 0;                      // of its trace
    RecordNumber record = SpanTable::kNoRecord;  // that it seems to have
  };
  static constexpr std::size_t kArriving = 32;
  static constexpr std::size_t kPrefetchStep = 10;  // from one prefetch to the next

  // Insert is inlined whole where requests are read. What it seldom needs is not: with it, each
  // span had 22 KB of stack to probe, and linking took minutes.

  /// That came so many spans ago.
  Arriving& Before(std::size_t spans) { return arriving_[(came_ - spans) % kArriving]; }
  void PrefetchRecord(Arriving& arriving);
  void Take(const Arriving& arriving);
  [[nodiscard]] AskerId AskerOf(RecordNumber number) const;
  static AskerId FirstLogAsker(std::uint8_t shard);
  [[nodiscard]] Tick settle_window() const { return settle_window_; }
  /// Where traces settle later, those that they ask about do too.
  [[nodiscard]] Tick join_window() const {
    return options_.join_window + settle_window_ - least_settle_window_;
  }
  void UseSettleWindow(Microseconds window);
  /// Of one span in some; in how many, is for FinishLags to say.
  [[gnu::noinline]] void NoteLag(const Span& span, Tick now);
  void FinishLags(JoinInput& input);
  /// `number`: of its trace's record, if it has one; `tag`: whether it is a log record.
  void Append(RecordNumber number, const otlp::TraceId& trace, const Span& span, std::uint8_t tag,
              Tick now);
  /// Where none is to be made, counts the span.
  [[nodiscard]] RecordNumber NewRecordFor(const otlp::TraceId& trace, const Span& span,
                                          std::uint8_t tag, Tick now);
  [[gnu::noinline]] void NoteTold(RecordNumber number);
  /// Of the trace, if it was not shed meanwhile.
  [[nodiscard]] bool IsWaiting(RecordNumber number, std::uint64_t low) const;
  /// Of this trace nothing more is taken: what is shed is whole traces. Remembers it.
  [[gnu::noinline]] void Refuse(std::uint64_t low, const Span& span, std::uint8_t tag, Tick now);
  [[gnu::noinline]] void AddRandomness(const otlp::TraceId& trace, std::uint64_t value);
  void Schedule(RecordNumber number, Tick due);
  /// False where the input is full.
  bool AdvanceDue(JoinInput& input);
  void OnDue(RecordNumber number, Tick now, JoinInput& input);
  void Ask(RecordNumber number, Tick now, JoinInput& input);
  void Sample(RecordNumber number, JoinInput& input);
  /// False where all that came since it was counted came before: a redelivery.
  bool HasNews(RecordNumber number);
  /// Each span once, however often its trace asks.
  void TellSeen(RecordNumber number, JoinInput& input);
  void WithdrawAsked(RecordNumber number, JoinInput& input);
  /// So many of its first spans were asked for, and the join stage was told of them.
  [[nodiscard]] std::size_t ToldSpans(RecordNumber number) const;
  void Count(RecordNumber number, Tick now);
  /// The ways of nearly every trace; false where it is not plain.
  bool AskPlainly(RecordNumber number, Tick now, JoinInput& input);
  bool CountPlainly(RecordNumber number);
  void SeePlainly(const Span& span, JoinInput& input);
  void FinishCount(RecordNumber number, Tick now);
  /// The first spans of a record, as a cluster: valid until the next call.
  Cluster ClusterOf(RecordNumber number, std::size_t spans);
  Judgement JudgementOf(RecordNumber number, std::size_t spans, std::uint8_t epoch,
                        const Answers& answers);
  [[nodiscard]] const AnswersOf& AnswersFor(RecordNumber number) const;
  void Remember(RecordNumber number);
  RecordNumber PopJudged();
  void ForgetOld(Tick now);
  /// Of what was counted; false where nothing was.
  [[gnu::noinline]] bool ForgetOldest();
  void Forget(RecordNumber number, Tick now);
  [[gnu::noinline]] void Shed(RecordNumber number, Tick now);
  void RememberShed(std::uint64_t low, Tick now);
  /// A share of the traces, by the hash of their ids: of those that wait, and of all that come from
  /// now on. For the others there is room, and of those that are shed no half is judged. False
  /// where none waits.
  [[gnu::noinline]] bool ShedMore(Tick now);
  void ShedLess(Tick now);
  [[nodiscard]] bool HasRoomForMore() const;
  [[gnu::noinline]] void CountUnknown(const Span& span, std::uint8_t tag, Reason reason);
  void CountUnit(const CountedUnit& unit);

  const ShardOptions options_;
  const ShapeTable& shapes_;
  std::array<std::shared_ptr<const Epoch>, 256> epochs_;
  std::uint8_t epoch_ = 0;
  Tick settle_window_ = 0;
  Tick least_settle_window_ = 0;  // that it ever had
  bool is_judging_ = false;
  std::uint64_t sample_below_ = 0;
  SpanTable table_;
  Fingerprints fingerprints_;  // of what was counted
  /// Apart: however many are forgotten, these do not make way for them.
  Fingerprints shed_;
  ClusterJudge judge_;
  std::array<Arriving, kArriving> arriving_;
  std::size_t came_ = 0;  // of all that ever arrived
  std::size_t taken_ = 0;
  std::vector<ArrivalLag> lags_;
  std::size_t lag_mask_ = 0;  // of the spans that came, those whose number has none of these bits
  std::array<std::vector<RecordNumber>, kWheelSlots> wheel_;
  std::vector<RecordNumber> due_;    // the slot whose turn it is
  std::size_t next_due_ = 0;         // in it
  std::deque<RecordNumber> judged_;  // in the order in which they were counted
  Tick now_ = 0;
  std::unordered_map<RecordNumber, AnswersOf> answers_;
  /// Of those that were asking when more came: how many of their spans the join stage was told.
  std::unordered_map<RecordNumber, std::uint32_t> told_;
  std::unordered_map<std::uint64_t, std::vector<SaidRandomness>> randomness_;  // by low half
  // Hashes. Traces up to the first are taken; up to the second each that comes is remembered as
  // shed, so that no half of it is taken later; of those above there are too many to remember.
  std::uint64_t take_below_ = UINT64_MAX;
  std::uint64_t watch_below_ = UINT64_MAX;
  Tick shed_until_ = 0;  // no less before
  std::size_t judged_spans_ = 0;
  Tally tally_;
  LooseLogs loose_logs_;
  ShapeCards cards_;
  PlainTrace plain_;
  std::vector<std::uint64_t> last_ends_;  // the tenths that the join stage was told last
  ShardCounts counts_;
  std::vector<Span> spans_;  // of the cluster that is looked at
  std::vector<std::uint64_t> halves_;
  std::vector<ClusterRandomness> cluster_randomness_;
  std::vector<SentSpan> known_;  // sorted by id
  const AnswersOf no_answers_;
};

}  // namespace tracekeeper::continuity
