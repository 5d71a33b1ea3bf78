#include "src/continuity/span_table.h"

#include <algorithm>
#include <bit>
#include <memory>

#include "src/continuity/copy_words.h"
#include "src/continuity/keyed_hash.h"

namespace tracekeeper::continuity {
namespace {

/// A trace of one span, the smallest, costs a record and a chunk.
constexpr std::size_t kSmallestTrace = 40 + 132;
constexpr std::size_t kIndexEntry = 8;
constexpr std::size_t kCacheLine = 64;

std::size_t IndexSizeFor(std::size_t budget_bytes) {
  return std::bit_ceil(std::max<std::size_t>(budget_bytes / kSmallestTrace, 16));
}

std::size_t RoomFor(std::size_t budget_bytes) {
  const std::size_t index_bytes = IndexSizeFor(budget_bytes) * kIndexEntry;
  const std::size_t left = budget_bytes > index_bytes ? budget_bytes - index_bytes : 0;
  return std::max(left, kSmallestTrace);
}

}  // namespace

SpanTable::SpanTable(const Options& options)
    : budget_bytes_(options.budget_bytes),
      key_(options.key),
      index_mask_(IndexSizeFor(budget_bytes_) - 1),
      index_region_((index_mask_ + 1) * sizeof(IndexEntry)),
      room_(RoomFor(budget_bytes_)),
      region_((room_ + kCacheLine - 1) / kCacheLine * kCacheLine),
      next_region_(room_ / kChunkBytes * sizeof(std::uint32_t)),
      index_(reinterpret_cast<IndexEntry*>(index_region_.begin())),
      records_(reinterpret_cast<Record*>(region_.begin())),
      chunks_end_(reinterpret_cast<Chunk*>(region_.end())),
      next_(reinterpret_cast<std::uint32_t*>(next_region_.begin())) {
  std::uninitialized_fill_n(index_, index_mask_ + 1, IndexEntry{});
}

std::size_t SpanTable::bytes() const {
  return traces_ * sizeof(Record) + used_chunks_ * kChunkBytes +
         (index_mask_ + 1) * sizeof(IndexEntry);
}

std::uint32_t SpanTable::HashOf(std::uint64_t low) const {
  return static_cast<std::uint32_t>(KeyedHash(low, key_) >> 32U);
}

/// Where it is, or the free slot where it would be.
std::size_t SpanTable::SlotOf(std::uint64_t low, std::uint32_t hash) const {
  std::size_t slot = hash & index_mask_;
  for (;; slot = (slot + 1) & index_mask_) {
    const IndexEntry& entry = index_[slot];
    if (entry.record == kNoRecord) return slot;
    if (entry.hash == hash && records_[entry.record].id.low == low) return slot;
  }
}

void SpanTable::PrefetchPlace(RecordNumber number) const {
  const Record& record = records_[number];
  if (record.last_chunk == kNoChunk) return;
  const std::size_t place = record.spans % kChunkSpans;
  if (place != 0) __builtin_prefetch(&chunk(record.last_chunk).spans[place], 1);
}

void SpanTable::PrefetchSpans(RecordNumber number) const {
  const Record& record = records_[number];
  for (const std::uint32_t held : {record.first_chunk, record.last_chunk}) {
    if (held == kNoChunk) return;
    const auto* const bytes = reinterpret_cast<const char*>(&chunk(held));
    for (std::size_t line = 0; line < sizeof(Chunk); line += 64) __builtin_prefetch(bytes + line);
  }
}

void SpanTable::PrefetchRemoval(RecordNumber number) const {
  const Record& record = records_[number];
  PrefetchIndex(HashOf(record.id.low));
  for (const std::uint32_t held : {record.first_chunk, record.last_chunk}) {
    if (held != kNoChunk) __builtin_prefetch(&next_[held], 1);
  }
}

SpanTable::RecordNumber SpanTable::FindOrAdd(const otlp::TraceId& id) {
  const std::uint32_t hash = HashOf(id.low);
  const std::size_t slot = SlotOf(id.low, hash);
  if (index_[slot].record != kNoRecord) return index_[slot].record;
  // Room for its first chunk too: no record is without a span for long.
  const bool has_room = free_chunk_ != kNoChunk || HasRoom(sizeof(Record) + kChunkBytes);
  const bool fits_index = traces_ * 8 < index_mask_ * 7;
  const RecordNumber number = has_room && fits_index ? NewRecord() : kNoRecord;
  if (number == kNoRecord) return kNoRecord;
  index_[slot] = {.hash = hash, .record = number};
  Record& record = records_[number];
  const std::uint8_t generation = record.generation;
  record = Record{};
  record.generation = generation;
  record.id = id;
  record.first_chunk = record.last_chunk = kNoChunk;
  ++traces_;
  return number;
}

bool SpanTable::HasRoom(std::size_t bytes) const {
  return made_records_ * sizeof(Record) + made_chunks_ * kChunkBytes + bytes <= room_;
}

SpanTable::RecordNumber SpanTable::NewRecord() {
  if (free_record_ != kNoRecord) {
    const RecordNumber number = free_record_;
    free_record_ = records_[number].first_chunk;
    if (free_record_ != kNoRecord) Prefetch(free_record_);
    return number;
  }
  if (!HasRoom(sizeof(Record))) return kNoRecord;
  return made_records_++;
}

std::uint32_t SpanTable::NewChunk() {
  std::uint32_t number = free_chunk_;
  if (number != kNoChunk) {
    free_chunk_ = next_[number];
    // For the next one who needs a chunk.
    if (free_chunk_ != kNoChunk) PrefetchForWrite(&chunk(free_chunk_), sizeof(Chunk));
  } else if (HasRoom(kChunkBytes)) {
    number = made_chunks_++;
  } else {
    return kNoChunk;
  }
  ++used_chunks_;
  return number;
}

void SpanTable::FreeChunk(std::uint32_t number) {
  next_[number] = free_chunk_;
  free_chunk_ = number;
  --used_chunks_;
}

/// From this one to the record's last.
void SpanTable::FreeChunks(const Record& record, std::uint32_t first) {
  for (std::uint32_t at = first; at != kNoChunk;) {
    const std::uint32_t next = at == record.last_chunk ? kNoChunk : NextOf(record, at);
    FreeChunk(at);
    at = next;
  }
}

bool SpanTable::Append(RecordNumber number, const Span& span, std::uint8_t tag) {
  Record& record = records_[number];
  const std::size_t place = record.spans % kChunkSpans;
  if (place == 0) {
    const std::uint32_t added = NewChunk();
    if (added == kNoChunk) return false;
    if (record.spans == 0) {
      record.first_chunk = added;
    } else if (record.spans >= 2 * kChunkSpans) {
      // Two are told by the record; more are a list.
      if (record.spans == 2 * kChunkSpans) next_[record.first_chunk] = record.last_chunk;
      next_[record.last_chunk] = added;
    }
    record.last_chunk = added;
  }
  Span& held = chunk(record.last_chunk).spans[place];
  CopyWords(span, held);
  held.is_cut = tag;
  ++record.spans;
  ++spans_;
  return true;
}

std::optional<std::uint8_t> SpanTable::TagFor(RecordNumber number, std::uint64_t high) {
  return records_[number].id.high == high ? 0 : TagForAnother(number, high);
}

std::optional<std::uint8_t> SpanTable::TagForAnother(RecordNumber number, std::uint64_t high) {
  std::vector<std::uint64_t>& more = more_halves_[number];
  const auto found = std::ranges::find(more, high);
  if (found != more.end()) return static_cast<std::uint8_t>(found - more.begin() + 1);
  if (more.size() + 1 == kMaxTags) return std::nullopt;
  more.push_back(high);
  return static_cast<std::uint8_t>(more.size());
}

std::vector<std::uint64_t> SpanTable::UpperHalves(RecordNumber number) const {
  std::vector<std::uint64_t> halves{records_[number].id.high};
  const auto more = more_halves_.find(number);
  if (more != more_halves_.end()) {
    halves.insert(halves.end(), more->second.begin(), more->second.end());
  }
  return halves;
}

void SpanTable::Read(RecordNumber number, std::size_t count, std::vector<Span>& spans) const {
  spans.clear();
  const Record& record = records_[number];
  std::uint32_t at = record.first_chunk;
  for (std::size_t read = 0; read < count; read += kChunkSpans) {
    if (read != 0) at = NextOf(record, at);
    const auto& held = chunk(at).spans;
    const std::size_t here = std::min(kChunkSpans, count - read);
    spans.insert(spans.end(), held.begin(), held.begin() + static_cast<std::ptrdiff_t>(here));
  }
}

void SpanTable::Truncate(RecordNumber number, std::size_t count) {
  Record& record = records_[number];
  std::uint32_t last = record.first_chunk;
  for (std::size_t i = kChunkSpans; i < count; i += kChunkSpans) last = NextOf(record, last);
  if (last != record.last_chunk) FreeChunks(record, NextOf(record, last));
  spans_ -= record.spans - count;
  record.spans = static_cast<std::uint32_t>(count);
  record.last_chunk = last;
}

void SpanTable::Clear(RecordNumber number) {
  Record& record = records_[number];
  FreeChunks(record, record.first_chunk);
  more_halves_.erase(number);
  spans_ -= record.spans;
  record.spans = record.judged_spans = 0;
  record.first_chunk = record.last_chunk = kNoChunk;
}

void SpanTable::Remove(RecordNumber number) {
  Record& record = records_[number];
  RemoveFromIndex(SlotOf(record.id.low, HashOf(record.id.low)));
  Clear(number);
  --traces_;
  ++record.generation;
  record.first_chunk = free_record_;
  free_record_ = number;
}

/// Moves what follows forward, so that no probe meets a gap before what it looks for.
void SpanTable::RemoveFromIndex(std::size_t gap) {
  for (std::size_t next = (gap + 1) & index_mask_;; next = (next + 1) & index_mask_) {
    const IndexEntry entry = index_[next];
    if (entry.record == kNoRecord) break;
    const std::size_t home = entry.hash & index_mask_;
    const bool may_move = ((next - home) & index_mask_) >= ((next - gap) & index_mask_);
    if (!may_move) continue;
    index_[gap] = entry;
    gap = next;
  }
  index_[gap] = {};
}

}  // namespace tracekeeper::continuity
