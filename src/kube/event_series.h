#pragma once
// EventSeries decides what is written for a note: a new Event, a higher count on one that stands,
// or nothing yet. No I/O, no clock: the caller passes the times and does the writing.
//
// The first note of a series creates an Event. The second makes it a series of two at once; from
// then on counts are written at most every kRefresh, and kSeriesWindow after the last note the
// series is closed.
//
// Threads:  one thread at a time: the recorder's.
// Limits:   EventRecorder::kSeriesLimit series; beyond that the one that was quiet longest is
// closed.

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/base/clock.h"
#include "src/kube/events.h"

namespace tracekeeper::kube {

struct EventWrite {
  enum class Verb { kCreate, kPatch };

  Verb verb = Verb::kCreate;
  ObjectKey event;
  std::string json;
  std::string series;  // for Forget()
};

class EventSeries {
 public:
  static constexpr Duration kRefresh = std::chrono::minutes(5);

  explicit EventSeries(EventRecorder::Options options) : options_(std::move(options)) {}

  /// What to write for `note`, seen at `now` (`seen` on the wall clock); nullopt: later, or never.
  std::optional<EventWrite> Observe(const EventNote& note, Instant seen, MonotonicTime now);

  /// Counts that are due, and closes series that have been quiet.
  std::vector<EventWrite> TakeDue(MonotonicTime now);
  /// All counts that are not written yet: before the end.
  std::vector<EventWrite> TakeAll();

  /// The Event is not there (any more): the next note creates one.
  void Forget(const std::string& series) { series_.erase(series); }

  [[nodiscard]] std::size_t size() const { return series_.size(); }

 private:
  struct Entry {
    ObjectKey event;
    std::int64_t count = 1;
    std::int64_t written_count = 1;
    Instant last_seen;        // wall clock: what is written
    MonotonicTime last_note;  // for the window
    MonotonicTime last_write;
  };

  [[nodiscard]] std::string CreateJson(const EventNote& note, const ObjectKey& event,
                                       Instant seen) const;
  EventWrite Patch(const std::string& series, Entry& entry, MonotonicTime now);
  ObjectKey NewName(const EventNote& note, Instant seen);
  void MakeRoom();

  const EventRecorder::Options options_;
  std::unordered_map<std::string, Entry> series_;
  std::int64_t last_stamp_ = 0;
};

}  // namespace tracekeeper::kube
