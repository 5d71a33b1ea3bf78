#pragma once
// JoinStage decides what needs more than one trace: which call made which root, whether a request
// was open when a root began, whether absent parents went with one batch.
//
//   join.See(span, shape)...;              // every span of every trace, once
//   join.Ask(asker, trace.questions)...;
//   for (GivenAnswer given : join.Settle()) ...
//
// and again: what is seen and asked later may change answers that were given, and Settle gives each
// that changed. After the last of them the answers are the same in whatever order all of it came.
//
// Threads:  one thread.
// Owner:    keeps what it was told until it is told to forget; the profile outlives it.
// Cost:     Settle looks at what changed: the questions of an instance that was seen again, the
//           calls and roots of a service around those that are new.
// Source:   docs/reference/verdicts.md, 3.3 to 3.6.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "src/continuity/busy_times.h"
#include "src/continuity/profile.h"
#include "src/continuity/question.h"
#include "src/continuity/shape.h"
#include "src/continuity/waiting_roots.h"

namespace tracekeeper::continuity {

struct GivenAnswer {
  AskerId asker = 0;
  QuestionNumber question = 0;
  Answer answer = Answer::kNo;
};

class JoinStage {
 public:
  explicit JoinStage(const Profile& profile) : profile_(&profile) {}

  /// From now on; what was answered is looked at again.
  void UseProfile(const Profile& profile);

  void See(const Span& span, const Shape& shape);
  /// All that counts of a span that is no entry: that it ended then, on that instance (or none).
  void SeeEnd(NameId instance, Microseconds end);
  void Ask(AskerId asker, std::span<const Question> questions);
  /// Its questions, which are these, are no more; nothing is said where they were forgotten.
  void Withdraw(AskerId asker, std::span<const Question> questions);
  /// Until it is given another one, the answer to a question is kNo.
  std::vector<GivenAnswer> Settle();
  /// Everything before `time` but what answers to what is younger stand on. What was answered stays
  /// as it is; the halves of a pair go together.
  void Forget(Microseconds time);

  [[nodiscard]] std::size_t questions() const {
    return slots_.size() - free_.size() + waiting_roots_;
  }
  /// About what it holds.
  [[nodiscard]] std::size_t bytes() const;
  /// The earliest end that it may still know, where it knows any.
  [[nodiscard]] Microseconds earliest() const { return earliest_; }
  /// No end that it knows is later.
  [[nodiscard]] Microseconds latest() const { return (last_end_ + 1) * kTenth; }

 private:
  using Tenth = std::uint64_t;  // of a second, since 1970
  static constexpr Microseconds kSecond = 1'000'000;
  static constexpr Microseconds kTenth = kSecond / 10;
  /// A peer that recorded nothing so near to a call was not there.
  static constexpr Microseconds kPresence = 60 * kSecond;
  /// How busy an instance was is told by so many tenths before it fell silent (3.6).
  static constexpr Tenth kTenthsBefore = 100;
  using SlotNumber = std::uint32_t;
  static constexpr SlotNumber kNoSlot = UINT32_MAX;

  /// Of every kind but kServerRoot, which WaitingRoots hold.
  struct Slot {
    Question question;
    AskerId asker = 0;
    QuestionNumber number = 0;
    SlotNumber next = kNoSlot;  // of the same asker
    Answer given = Answer::kNo;
    bool is_withdrawn = false;
    bool has_root = false;  // a call that made this one:
    WaitingRootKey root;
    Microseconds root_last = 0;
  };
  struct Instance {
    BusyTimes busy;
    std::vector<Tenth> ends;  // in which a span ended; each once and in order, once settled
    std::size_t settled_ends = 0;
    std::vector<SlotNumber> questions;
    std::vector<SlotNumber> absent_parents;
    bool has_changed = false;  // is among changed_instances_
  };
  struct Range {
    Microseconds first = 0;
    Microseconds last = 0;
  };
  /// A call, and when it waits.
  struct Waiting {
    Microseconds first = 0;
    Microseconds last = 0;
    SlotNumber slot = kNoSlot;
  };
  /// In order of `first`, up to `settled`.
  struct WaitingList {
    std::vector<Waiting> list;
    std::size_t settled = 0;
  };
  struct Service {
    std::map<std::uint64_t, Range> starts;  // of entries, by second
    Range* last_starts = nullptr;           // of the second that was seen last
    std::uint64_t last_second = 0;
    WaitingList calls;             // to it
    WaitingRoots roots;            // of it
    std::vector<Range> changed;    // when a call, or a root that may matter, came or went
    std::size_t silent_calls = 0;  // to which kNo was given
    bool was_seen = false;         // since the last Settle
    bool has_withdrawn = false;    // calls
    bool is_listed = false;        // among changed_services_
  };

  SlotNumber NewSlot();
  void File(SlotNumber number);
  void AskForRoot(AskerId asker, QuestionNumber number, const Question& question);
  void WithdrawRoot(AskerId asker, QuestionNumber number, const Question& question);
  void WithdrawSlot(SlotNumber slot);
  void Give(SlotNumber slot, Answer answer, std::vector<GivenAnswer>& given);
  static void SettleEnds(Instance& instance);
  void SettleInstance(NameId id, Instance& instance, std::vector<GivenAnswer>& given);
  void SettleService(Service& service, std::vector<GivenAnswer>& given);
  [[nodiscard]] Waiting WaitingOf(SlotNumber slot) const;
  /// The times in which what changed may have changed answers: those of calls that wait together.
  static std::vector<Range> GroupsAround(Service& service);
  void MatchWithin(Service& service, const Range& group, std::vector<GivenAnswer>& given);
  void GiveToCall(Service& service, SlotNumber slot, std::vector<GivenAnswer>& given);
  void GiveToRoot(WaitingRoot& root, std::vector<GivenAnswer>& given) const;
  void DropWithdrawn(WaitingList& waiting) const;
  Instance& InstanceOf(NameId id);
  Service& ServiceOf(NameId id);
  [[nodiscard]] bool PeerWasThere(const Service& peer, const Question& call) const;
  /// Where the instance ended no span although some were due: the first tenths of each silence.
  [[nodiscard]] std::vector<Tenth> SilencesOf(const std::vector<Tenth>& busy) const;
  [[nodiscard]] std::vector<SlotNumber> FindLostBatches(NameId id, const Instance& instance) const;
  void DropWithdrawn(std::vector<SlotNumber>& slots) const;
  void FreeWithdrawn();
  /// The earliest of what these ask about, where that is before `time`.
  [[nodiscard]] Microseconds NeededFrom(const std::vector<SlotNumber>& slots,
                                        Microseconds time) const;
  [[nodiscard]] Microseconds FirstNearLoss(const Instance& instance, Microseconds time) const;
  [[nodiscard]] bool IsBefore(Microseconds time, SlotNumber slot) const;
  /// Moves those before `time` from `slots` to `old`.
  void TakeOld(std::vector<SlotNumber>& slots, Microseconds time,
               std::vector<SlotNumber>& old) const;
  void TakeOld(Service& service, Microseconds time, std::vector<SlotNumber>& old);
  void ForgetStarts(Service& service, Microseconds time) const;
  void Free(SlotNumber slot);
  void DropEmpty();

  const Profile* profile_;
  std::vector<Slot> slots_;
  std::vector<SlotNumber> free_;
  std::vector<SlotNumber> withdrawn_;
  std::unordered_map<AskerId, SlotNumber> askers_;  // to their first question
  // By name; null where nothing is known of it.
  std::vector<std::unique_ptr<Instance>> instances_;
  std::vector<std::unique_ptr<Service>> services_;
  std::vector<NameId> changed_instances_;  // each once
  std::vector<NameId> changed_services_;
  std::vector<NameId> bereft_instances_;  // that have absent parents
  std::size_t waiting_roots_ = 0;
  std::size_t entries_ = 0;
  Microseconds earliest_ = UINT64_MAX;
  Tenth last_end_ = 0;  // of any instance
  Tenth settled_last_end_ = 0;
};

}  // namespace tracekeeper::continuity
