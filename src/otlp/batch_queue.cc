#include "src/otlp/batch_queue.h"

#include <algorithm>
#include <utility>

namespace tracekeeper::otlp {

BatchQueue::Admission BatchQueue::Add(Signal signal, std::string_view request, std::size_t items,
                                      MonotonicTime now) {
  shed_.Expire(now);
  auto remaining = WithoutShed(signal, request);
  if (remaining) {
    request = *remaining->request;
    items = remaining->kept;
  }
  if (items > 0 && bytes_ + request.size() > options_.budget &&
      !MakeRoom(signal, request.size(), now)) {
    return Admission::kNoRoom;
  }
  if (remaining) counters_.Drop(signal, DropReason::kQueueFull, remaining->dropped);
  if (items == 0) return Admission::kTaken;
  const RequestLimits& limits = options_.batch.request;
  if (request.size() > limits.bytes || items > limits.items) {
    AppendInPieces(signal, request, items, now);
  } else {
    Append(signal, request, items, now);
  }
  return Admission::kTaken;
}

void BatchQueue::Append(Signal signal, std::string_view request, std::size_t items,
                        MonotonicTime now) {
  const RequestLimits& limits = options_.batch.request;
  std::optional<Batch>& open = open_[IndexOf(signal)];
  if (open && (open->request.size() + request.size() > limits.bytes ||
               open->items + items > limits.items)) {
    Seal(signal);
  }
  if (!open) {
    open.emplace(Batch{.signal = signal, .since = now, .shed_generation = shed_.generation()});
    // Pages are only touched as they fill, and a batch that grows is not copied.
    open->request.reserve(limits.bytes);
  }
  open->request.append(request);
  open->items += items;
  bytes_ += request.size();
  waiting_bytes_[IndexOf(signal)] += request.size();
  items_[IndexOf(signal)] += items;
  if (open->request.size() >= limits.bytes || open->items >= limits.items) Seal(signal);
}

void BatchQueue::AppendInPieces(Signal signal, std::string_view request, std::size_t items,
                                MonotonicTime now) {
  auto pieces = SplitRequest(signal, request, options_.batch.request);
  if (!pieces) {  // it was checked, so this is a record that no walk can cut: send it whole
    Append(signal, request, items, now);
    return;
  }
  for (const RequestPiece& piece : *pieces) Append(signal, piece.request, piece.items, now);
}

void BatchQueue::Seal(Signal signal) {
  std::optional<Batch>& open = open_[IndexOf(signal)];
  if (!open) return;
  // What was reserved and not used would count against nobody.
  if (open->request.capacity() > open->request.size() * 2) open->request.shrink_to_fit();
  sealed_.push_back(*std::exchange(open, std::nullopt));
}

bool BatchQueue::MakeRoom(Signal signal, std::size_t needed, MonotonicTime now) {
  if (needed > options_.budget) return false;
  const std::size_t fair_share = options_.budget / kSignals.size();
  while (bytes_ + needed > options_.budget) {
    const std::size_t spans = waiting_bytes_[IndexOf(Signal::kTraces)];
    // Metrics and logs may push spans back to their share, no further.
    if (signal != Signal::kTraces && spans <= fair_share) return false;
    if (!ShedOldestTraces(now)) return false;
  }
  return true;
}

bool BatchQueue::ShedOldestTraces(MonotonicTime now) {
  auto oldest = std::find_if(sealed_.begin(), sealed_.end(),
                             [](const Batch& batch) { return batch.signal == Signal::kTraces; });
  if (oldest == sealed_.end()) {
    if (!open_[IndexOf(Signal::kTraces)]) return false;
    Seal(Signal::kTraces);
    oldest = std::prev(sealed_.end());
  }
  const Batch batch = std::move(*oldest);
  sealed_.erase(oldest);
  Shed(batch, now);
  return true;
}

void BatchQueue::Shed(const Batch& batch, MonotonicTime now) {
  std::uint64_t traces = 0;
  const Status visited = ForEachItem(batch.signal, batch.request, [&](const ItemFields& item) {
    if (item.trace_id && shed_.Remember(*item.trace_id, now)) ++traces;
  });
  (void)visited;  // it was checked when it came; the batch goes in any case
  counters_.shed_traces += traces;
  counters_.Drop(batch.signal, DropReason::kQueueFull, batch.items);
  waiting_bytes_[IndexOf(batch.signal)] -= batch.request.size();
  Settle(batch.signal, batch.request.size(), batch.items);
}

std::optional<FilteredRequest> BatchQueue::WithoutShed(Signal signal,
                                                       std::string_view request) const {
  if (shed_.empty() || signal == Signal::kMetrics) return std::nullopt;
  auto filtered = FilterRequest(signal, request, [&](const ItemFields& item) -> ItemDecision {
    return {.keep = !item.trace_id || !shed_.Contains(*item.trace_id)};
  });
  if (!filtered || !filtered->request) return std::nullopt;
  return *std::move(filtered);
}

std::optional<Batch> BatchQueue::Take(MonotonicTime now) {
  for (const Signal signal : kSignals) {
    const std::optional<Batch>& open = open_[IndexOf(signal)];
    if (open && open->since + options_.batch.age <= now) Seal(signal);
  }
  shed_.Expire(now);
  while (!sealed_.empty()) {
    Batch batch = std::move(sealed_.front());
    sealed_.pop_front();
    waiting_bytes_[IndexOf(batch.signal)] -= batch.request.size();
    LeaveOutShed(batch);
    if (batch.items > 0) return batch;
  }
  return std::nullopt;
}

bool BatchQueue::LeaveOutShed(Batch& batch) {
  if (batch.shed_generation == shed_.generation()) return false;
  batch.shed_generation = shed_.generation();
  auto remaining = WithoutShed(batch.signal, batch.request);
  if (!remaining) return false;
  counters_.Drop(batch.signal, DropReason::kQueueFull, remaining->dropped);
  Settle(batch.signal, batch.request.size() - remaining->request->size(), remaining->dropped);
  batch.request = *std::move(remaining->request);
  batch.items = remaining->kept;
  return true;
}

void BatchQueue::Settle(Signal signal, std::size_t bytes, std::size_t items) {
  bytes_ -= bytes;
  items_[IndexOf(signal)] -= items;
}

std::vector<Batch> BatchQueue::Halve(const Batch& batch) {
  const RequestLimits half{.items = (batch.items + 1) / 2, .bytes = batch.request.size()};
  auto pieces = SplitRequest(batch.signal, batch.request, half);
  if (!pieces || pieces->size() < 2) return {};
  Settle(batch.signal, batch.request.size(), batch.items);
  std::vector<Batch> halves;
  for (RequestPiece& piece : *pieces) {
    bytes_ += piece.request.size();
    items_[IndexOf(batch.signal)] += piece.items;
    halves.push_back({.signal = batch.signal,
                      .request = std::move(piece.request),
                      .items = piece.items,
                      .since = batch.since,
                      .shed_generation = batch.shed_generation});
  }
  return halves;
}

void BatchQueue::Clear() {
  open_ = {};
  sealed_.clear();
  bytes_ = 0;
  waiting_bytes_ = {};
  items_ = {};
}

void BatchQueue::Flush() {
  for (const Signal signal : kSignals) Seal(signal);
}

std::optional<MonotonicTime> BatchQueue::NextDue() const {
  if (!sealed_.empty()) return sealed_.front().since;
  std::optional<MonotonicTime> due;
  for (const std::optional<Batch>& open : open_) {
    if (open && (!due || open->since + options_.batch.age < *due)) {
      due = open->since + options_.batch.age;
    }
  }
  return due;
}

}  // namespace tracekeeper::otlp
