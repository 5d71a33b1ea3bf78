#pragma once
// WaitingRoots are the SERVER roots of one service, each of which a call of another trace may turn
// out to have made.
//
// Nearly every trace has one and nearly none is ever looked for, so that to keep one is an append:
// by the second of its start, sorted when somebody looks into that second.
//
// Threads:  one thread.
// Owner:    what Find and Within point to stays until the next Add or Forget.
// Cost:     64 bytes a root. A look sorts what was added to its seconds since the last one.

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "src/continuity/question.h"

namespace tracekeeper::continuity {

struct WaitingRoot {
  static constexpr std::uint32_t kNoCall = UINT32_MAX;

  Microseconds first = 0;
  Microseconds last = 0;
  otlp::TraceId trace;
  std::uint64_t span_id = 0;
  AskerId asker = 0;
  NameId operation = 0;
  QuestionNumber number = 0;
  std::uint32_t call = kNoCall;  // that made it, as its owner numbers calls
  Answer given = Answer::kNo;
  bool is_withdrawn = false;

  /// As it was asked about service `where`.
  [[nodiscard]] Question AsQuestion(NameId where) const;
};
static_assert(sizeof(WaitingRoot) == 64);

/// Enough to find one.
struct WaitingRootKey {
  Microseconds first = 0;
  AskerId asker = 0;
  QuestionNumber number = 0;
};

class WaitingRoots {
 public:
  void Add(const WaitingRoot& root);
  /// Null where there is none, or it was withdrawn.
  WaitingRoot* Find(const WaitingRootKey& key);
  /// One that was found.
  void Withdraw(WaitingRoot& root);
  /// Those that start from `first` to `last`, in order of start; none that was withdrawn.
  std::vector<WaitingRoot*> Within(Microseconds first, Microseconds last);
  /// Drops what was withdrawn and what ended before `time`.
  void Forget(Microseconds time);

  [[nodiscard]] std::size_t size() const { return held_ - withdrawn_; }
  /// Holds none, not even one that was withdrawn.
  [[nodiscard]] bool is_empty() const { return held_ == 0; }
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Second {
    std::vector<WaitingRoot> roots;  // in order of start up to `sorted`
    std::size_t sorted = 0;
  };
  static void Sort(Second& second);
  void DropOver(Second& second, Microseconds time);

  std::map<std::uint64_t, Second> seconds_;
  Second* last_ = nullptr;  // that was added to
  std::uint64_t last_second_ = 0;
  std::size_t held_ = 0;
  std::size_t withdrawn_ = 0;  // of them
};

}  // namespace tracekeeper::continuity
