#include "src/otlp/sender.h"

#include <malloc.h>

#include <algorithm>
#include <utility>

namespace tracekeeper::otlp {
namespace {

/// A refused credential may be renewed at any moment, and trying costs little.
constexpr Duration kLongestCredentialWait = std::chrono::seconds(5);
/// While draining there is little time: a backend that comes back should be met.
constexpr Duration kLongestDrainWait = std::chrono::milliseconds(500);
/// A pause this long is no gap between two batches: the memory of the last ones is given back.
constexpr Duration kKeepMemoryFor = std::chrono::seconds(2);

}  // namespace

Relay::Sender::Sender(Relay& relay)
    : relay_(relay),
      random_(std::random_device()()),
      thread_([this](const StopToken& stop) { Run(stop); }) {}

void Relay::Sender::Run(const StopToken& stop) {
  while (auto batch = WaitForBatch(stop)) Deliver(*std::move(batch), stop);
}

std::optional<Batch> Relay::Sender::WaitForBatch(const StopToken& stop) {
  std::unique_lock lock(relay_.mutex_);
  const MonotonicTime idle_since = relay_.clock_.Monotonic();
  bool is_tidy = false;
  while (!stop.stop_requested()) {
    const MonotonicTime now = relay_.clock_.Monotonic();
    if (auto batch = relay_.queue_.Take(now)) return batch;
    if (relay_.queue_.bytes() == 0) relay_.drained_.notify_all();
    if (const auto due = relay_.queue_.NextDue()) {
      WaitForWork(lock, *due);
    } else if (now < idle_since + kKeepMemoryFor) {
      WaitForWork(lock, idle_since + kKeepMemoryFor);
    } else if (!is_tidy) {
      is_tidy = true;
      compressor_.Release();
      ::malloc_trim(0);
    } else {
      WaitForWork(lock, MonotonicTime::max());
    }
  }
  return std::nullopt;
}

void Relay::Sender::WaitForWork(std::unique_lock<std::mutex>& lock, MonotonicTime until) {
  ++relay_.idle_senders_;
  if (until == MonotonicTime::max()) {
    relay_.work_.wait(lock);
  } else {
    relay_.clock_.WaitUntil(relay_.work_, lock, until);
  }
  --relay_.idle_senders_;
}

void Relay::Sender::Deliver(Batch batch, const StopToken& stop) {
  std::vector<Batch> pending;
  pending.push_back(std::move(batch));
  while (!pending.empty() && !stop.stop_requested()) {
    Parcel parcel{.batch = std::move(pending.back())};
    pending.pop_back();
    Settle(std::move(parcel), pending, stop);
  }
}

void Relay::Sender::Settle(Parcel parcel, std::vector<Batch>& pending, const StopToken& stop) {
  std::uint64_t version = 0;
  for (unsigned failures = 0; !stop.stop_requested(); ++failures) {
    std::shared_ptr<Exporter> exporter;
    if (failures > 0) ++relay_.counters_.retried;
    {
      const std::scoped_lock guard(relay_.mutex_);
      exporter = relay_.settings_.exporter;
      // Other settings may mend what failed: patience begins anew.
      if (std::exchange(version, relay_.settings_version_) != version) failures = 0;
    }
    if (exporter == nullptr) return Drop(parcel, DropReason::kNoDestination);

    const Verdict verdict = Judge(Attempt(parcel, *exporter, stop), relay_.clock_.Now());
    // What the end of the program cut off is not the backend's doing.
    if (stop.stop_requested() && verdict.action != Verdict::Action::kDelivered) return;
    Note(verdict);
    switch (verdict.action) {
      case Verdict::Action::kDelivered:
        return Finish(parcel, verdict);
      case Verdict::Action::kDrop:
        return Drop(parcel, verdict.reason);
      case Verdict::Action::kSplit:
        return Cut(parcel, verdict, pending);
      case Verdict::Action::kRetry:
        break;
    }
    const double share = std::generate_canonical<double, 32>(random_);
    Duration wait = WaitBefore(verdict, failures, share);
    if (verdict.is_credential) wait = std::min(wait, kLongestCredentialWait);
    if (!WaitToRetry(parcel, wait, version, stop) || parcel.batch.items == 0) return;
  }
}

Answer Relay::Sender::Attempt(Parcel& parcel, Exporter& exporter, const StopToken& stop) {
  const codec::Compression compression = exporter.compression();
  if (compression == codec::Compression::kIdentity) {
    parcel.body = {};
    return exporter.Export(parcel.batch.signal, parcel.batch.request, stop);
  }
  if (parcel.body.empty() || parcel.compression != compression) {
    auto compressed = compressor_.Compress(compression, parcel.batch.request);
    if (!compressed) return NoAnswer{std::move(compressed).error()};
    parcel.body.assign(*compressed);
    parcel.compression = compression;
  }
  return exporter.Export(parcel.batch.signal, parcel.body, stop);
}

void Relay::Sender::Finish(const Parcel& parcel, const Verdict& verdict) {
  const Batch& batch = parcel.batch;
  const std::size_t rejected = std::min(verdict.rejected, batch.items);
  relay_.counters_.Drop(batch.signal, DropReason::kRejected, rejected);
  relay_.counters_.sent[IndexOf(batch.signal)] += batch.items - rejected;
  ++relay_.counters_.batches[IndexOf(batch.signal)];
  const std::scoped_lock guard(relay_.mutex_);
  relay_.queue_.Settle(batch.signal, batch.request.size(), batch.items);
}

void Relay::Sender::Drop(const Parcel& parcel, DropReason reason) {
  const Batch& batch = parcel.batch;
  relay_.counters_.Drop(batch.signal, reason, batch.items);
  const std::scoped_lock guard(relay_.mutex_);
  relay_.queue_.Settle(batch.signal, batch.request.size(), batch.items);
}

void Relay::Sender::Cut(const Parcel& parcel, const Verdict& verdict, std::vector<Batch>& pending) {
  std::vector<Batch> halves;
  {
    const std::scoped_lock guard(relay_.mutex_);
    halves = relay_.queue_.Halve(parcel.batch);
  }
  if (halves.empty()) return Drop(parcel, verdict.reason);
  for (Batch& half : halves) pending.push_back(std::move(half));
}

void Relay::Sender::Note(const Verdict& verdict) {
  const bool failed = verdict.action == Verdict::Action::kRetry;
  Delivery before;
  Delivery after;
  {
    const std::scoped_lock guard(relay_.mutex_);
    before = relay_.delivery_;
    const Instant now = relay_.clock_.Now();
    if (failed) {
      if (!relay_.delivery_.failing_since) relay_.delivery_.failing_since = now;
      relay_.delivery_.problem = verdict.why;
    } else {
      relay_.delivery_.failing_since.reset();
      relay_.delivery_.problem.clear();
      if (verdict.action == Verdict::Action::kDelivered) relay_.delivery_.last_success = now;
    }
    after = relay_.delivery_;
  }
  relay_.LogDelivery(before, after);
  if (!failed && !verdict.why.empty()) {
    relay_.log_.Warn("Backend did not take everything",
                     {{"destination", after.destination}, {"error", verdict.why}});
  }
}

bool Relay::Sender::WaitToRetry(Parcel& parcel, Duration wait, std::uint64_t version,
                                const StopToken& stop) {
  std::unique_lock lock(relay_.mutex_);
  const MonotonicTime start = relay_.clock_.Monotonic();
  const auto due = [&] {
    return start + (relay_.draining_ ? std::min(wait, kLongestDrainWait) : wait);
  };
  while (relay_.clock_.Monotonic() < due() && version == relay_.settings_version_ &&
         !stop.stop_requested()) {
    relay_.clock_.WaitUntil(relay_.changed_, lock, due());
  }
  if (stop.stop_requested()) return false;
  if (relay_.queue_.LeaveOutShed(parcel.batch)) parcel.body.clear();
  if (parcel.batch.items == 0)
    relay_.queue_.Settle(parcel.batch.signal, parcel.batch.request.size(), 0);
  return true;
}

}  // namespace tracekeeper::otlp
