#pragma once
// SpanTable holds the spans of a stream, by trace, inside a budget of bytes that it never leaves.
//
// Its memory is one reserved region: records of traces grow from its front, chunks of four spans
// from its back, an index of fixed size beside it. Where they meet the table is full, and Append
// says so. What is removed gives its record and chunks back to free lists.
//
//   record   40 bytes    a trace: id, first and last chunk, counts, when it is due
//   chunk   128 bytes    four spans
//   next      4 bytes    a chunk: the one behind it, in an array of their own
//   index    16 bytes    a trace, at half load
//
// so that a trace of eight spans costs 40 bytes a span, and no span lies in two cache lines.
//
// One record holds all ids that have the same lower half: the short (64-bit) form of an id and the
// long one are judged together. A span's tag says which of the upper halves it came with.
//
// Ids are chosen by peers: the index hashes the lower half with a key of the process.
//
// Threads:  one.
// Cost:     Append touches three cache lines, which the Prefetch functions ask for ahead of time.
//           Nothing is allocated after the constructor but for the upper halves of records that
//           have several.
// Failure:  where the region cannot be reserved, std::bad_alloc.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "src/continuity/mapped_region.h"
#include "src/continuity/span.h"
#include "src/otlp/trace_id.h"

namespace tracekeeper::continuity {

/// A tenth of a second of arrival time.
using Tick = std::uint32_t;

class SpanTable {
 public:
  struct Options {
    std::size_t budget_bytes = std::size_t{256} << 20U;  // of region and index
    std::uint64_t key = 0;                               // of the hash
  };

  using RecordNumber = std::uint32_t;
  static constexpr RecordNumber kNoRecord = UINT32_MAX;

  /// What becomes of the spans of one record; kept for whoever drives the table.
  enum class Phase : std::uint8_t { kOpen, kAsking, kJudged, kShed };

  struct Record {
    otlp::TraceId id;  // the upper half that came first
    std::uint32_t first_chunk = 0;
    std::uint32_t last_chunk = 0;
    std::uint32_t spans = 0;
    std::uint32_t judged_spans = 0;  // the first of them: what was counted
    Tick due = 0;
    std::uint8_t generation = 0;  // another one for each trace that has had this number
    Phase phase : 2 = Phase::kOpen;
    std::uint8_t marks : 6 = 0;  // of the caller's
    std::uint8_t epoch_asked = 0;
    std::uint8_t epoch_counted = 0;
  };
  static_assert(sizeof(Record) == 40);

  explicit SpanTable(const Options& options);

  /// Of the lower half of an id: what is looked for several times is hashed once.
  [[nodiscard]] std::uint32_t HashOf(std::uint64_t low) const;
  /// kNoRecord where no span of it is there.
  [[nodiscard]] RecordNumber Find(std::uint64_t low) const { return Find(low, HashOf(low)); }
  [[nodiscard]] RecordNumber Find(std::uint64_t low, std::uint32_t hash) const {
    return index_[SlotOf(low, hash)].record;
  }
  /// Makes the record where there is none; kNoRecord where the table is full.
  RecordNumber FindOrAdd(const otlp::TraceId& id);
  // Ahead of FindOrAdd and Append, each some spans after the one before: ask for the cache lines of
  // the index, of the record, of the place where the span goes.
  void PrefetchIndex(std::uint32_t hash) const { __builtin_prefetch(&index_[hash & index_mask_]); }
  /// What seems to be the record: that at the first place where it may be, where nearly all are.
  [[nodiscard]] RecordNumber PrefetchRecord(std::uint32_t hash) const {
    const RecordNumber record = index_[hash & index_mask_].record;
    if (record != kNoRecord) Prefetch(record);
    return record;
  }
  void PrefetchPlace(RecordNumber record) const;
  // Ahead of at and Read: of the record, and once that is there, of its spans.
  void Prefetch(RecordNumber record) const { PrefetchForWrite(&records_[record], sizeof(Record)); }
  void PrefetchSpans(RecordNumber record) const;
  /// Ahead of Remove, once the record is there.
  void PrefetchRemoval(RecordNumber record) const;
  /// `tag` in place of `span.is_cut`. False where the table is full.
  bool Append(RecordNumber record, const Span& span, std::uint8_t tag);
  /// The tag that stands for an upper half in this record; nothing where it has too many.
  std::optional<std::uint8_t> TagFor(RecordNumber record, std::uint64_t high);
  /// By tag, from 0.
  [[nodiscard]] std::vector<std::uint64_t> UpperHalves(RecordNumber record) const;
  /// The first `count` that came, in the order of arrival.
  void Read(RecordNumber record, std::size_t count, std::vector<Span>& spans) const;
  /// Drops all but the first `count`.
  void Truncate(RecordNumber record, std::size_t count);
  /// Drops all spans, and leaves the record.
  void Clear(RecordNumber record);
  void Remove(RecordNumber record);

  [[nodiscard]] Record& at(RecordNumber record) { return records_[record]; }
  [[nodiscard]] const Record& at(RecordNumber record) const { return records_[record]; }

  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::size_t budget_bytes() const { return budget_bytes_; }
  [[nodiscard]] std::size_t spans() const { return spans_; }
  [[nodiscard]] std::size_t traces() const { return traces_; }

  /// How many upper halves one record tells apart.
  static constexpr std::size_t kMaxTags = 64;

 private:
  static constexpr std::size_t kChunkSpans = 4;
  static constexpr std::uint32_t kNoChunk = UINT32_MAX;

  struct alignas(64) Chunk {
    std::array<Span, kChunkSpans> spans;
  };
  static_assert(sizeof(Chunk) == 128);
  static constexpr std::size_t kChunkBytes = sizeof(Chunk) + sizeof(std::uint32_t);

  struct IndexEntry {
    std::uint32_t hash = 0;
    RecordNumber record = kNoRecord;
  };

  [[gnu::noinline]] std::optional<std::uint8_t> TagForAnother(RecordNumber record,
                                                              std::uint64_t high);
  [[nodiscard]] std::size_t SlotOf(std::uint64_t low, std::uint32_t hash) const;
  [[nodiscard]] bool HasRoom(std::size_t bytes) const;
  RecordNumber NewRecord();
  std::uint32_t NewChunk();
  /// Behind `chunk`, which is not the last of the record.
  [[nodiscard]] std::uint32_t NextOf(const Record& record, std::uint32_t chunk) const {
    return record.spans <= 2 * kChunkSpans ? record.last_chunk : next_[chunk];
  }
  void FreeChunk(std::uint32_t number);
  void FreeChunks(const Record& record, std::uint32_t first);
  void RemoveFromIndex(std::size_t slot);
  [[nodiscard]] Chunk& chunk(std::uint32_t number) const { return *(chunks_end_ - number - 1); }

  const std::size_t budget_bytes_;
  const std::uint64_t key_;
  const std::size_t index_mask_;
  const MappedRegion index_region_;
  const std::size_t room_;  // for records and chunks
  const MappedRegion region_;
  const MappedRegion next_region_;
  IndexEntry* const index_;
  Record* const records_;
  Chunk* const chunks_end_;
  std::uint32_t* const next_;  // of each chunk: in its trace, once that has three; when it is free

  std::uint32_t made_records_ = 0;
  std::uint32_t made_chunks_ = 0;
  RecordNumber free_record_ = kNoRecord;  // linked by first_chunk
  std::uint32_t free_chunk_ = kNoChunk;   // linked by next_
  std::size_t used_chunks_ = 0;
  std::size_t spans_ = 0;
  std::size_t traces_ = 0;
  std::unordered_map<RecordNumber, std::vector<std::uint64_t>> more_halves_;  // tags 1 and up
};

}  // namespace tracekeeper::continuity
