#include "src/otlp/relay.h"

#include <fmt/format.h>

#include <utility>

#include "src/otlp/sender.h"

namespace tracekeeper::otlp {
namespace {

constexpr std::size_t kMaxSenders = 4;
/// When a sender that found no room may come again: about when a batch may have left.
constexpr Duration kRoomSoon = std::chrono::seconds(1);

}  // namespace

Relay::Relay(const Clock& clock, const Logger& log)
    : clock_(clock), log_(log), queue_(settings_.queue, counters_) {}

Relay::~Relay() { Drain(Duration::zero()); }

void Relay::Configure(RelaySettings settings) {
  const std::scoped_lock guard(mutex_);
  if (ending_) return;
  const std::string destination = settings.exporter ? settings.exporter->destination() : "";
  if (destination != delivery_.destination) delivery_ = {.destination = destination};
  settings_ = std::move(settings);
  queue_.Configure(settings_.queue);
  ++settings_version_;
  StartSenderIfNeeded();
  work_.notify_all();
  changed_.notify_all();
}

tl::unexpected<Refusal> Relay::Refuse(RefuseReason reason, std::string sentence,
                                      std::optional<Duration> retry_after) {
  counters_.refused.Add(reason, 1);
  return tl::unexpected(Refusal{reason, std::move(sentence), retry_after});
}

Accepted Relay::Accept(Signal signal, Ingress ingress, std::string_view request) {
  Sampler sampler;
  {
    const std::scoped_lock guard(mutex_);
    if (draining_) {
      return Refuse(RefuseReason::kDraining, "the sidecar is ending with its pod", kRoomSoon);
    }
    sampler = settings_.sampler;
  }
  const auto items = CountItems(signal, request);
  if (!items) return Refuse(RefuseReason::kMalformed, items.error().message);

  std::size_t kept = *items;
  FilteredRequest sampled;
  if (signal == Signal::kTraces && !sampler.keeps_everything()) {
    auto filtered = FilterRequest(signal, request, [&](const ItemFields& span) -> ItemDecision {
      auto decision = sampler.Decide(span.trace_id, span.tracestate);
      return {.keep = decision.keep, .tracestate = std::move(decision.tracestate)};
    });
    if (!filtered) return Refuse(RefuseReason::kMalformed, filtered.error().message);
    sampled = *std::move(filtered);
    if (sampled.request) request = *sampled.request;
    kept = sampled.kept;
  }

  const std::scoped_lock guard(mutex_);
  if (settings_.exporter == nullptr) {
    counters_.Drop(signal, DropReason::kNoDestination, kept);
  } else {
    const bool was_waiting = queue_.NextDue().has_value();
    if (queue_.Add(signal, request, kept, clock_.Monotonic()) == BatchQueue::Admission::kNoRoom) {
      return Refuse(RefuseReason::kQueueFull,
                    fmt::format("the queue of {} bytes is full and the backend takes nothing: {}",
                                queue_.budget(), delivery_.problem),
                    kRoomSoon);
    }
    // A sender that knows when the open batch is due needs no call for what joins it.
    if (!was_waiting || IsDue()) {
      StartSenderIfNeeded();
      work_.notify_one();
    }
  }
  counters_.received[IndexOf(signal)].Add(ingress, *items);
  counters_.Drop(signal, DropReason::kSampled, sampled.dropped);
  return {};
}

bool Relay::IsDue() const {
  const auto due = queue_.NextDue();
  return due && *due <= clock_.Monotonic();
}

void Relay::StartSenderIfNeeded() {
  if (settings_.exporter == nullptr || ending_) return;
  const bool short_of_senders = idle_senders_ == 0 && IsDue();
  if (senders_.empty() || (short_of_senders && senders_.size() < kMaxSenders)) {
    senders_.push_back(std::make_unique<Sender>(*this));
  }
}

void Relay::Drain(Duration patience) {
  {
    std::unique_lock lock(mutex_);
    if (ending_) return;
    draining_ = true;
    queue_.Flush();
    work_.notify_all();
    changed_.notify_all();
    const MonotonicTime deadline = clock_.Monotonic() + patience;
    while (queue_.bytes() > 0 && !senders_.empty() && clock_.Monotonic() < deadline) {
      clock_.WaitUntil(drained_, lock, deadline);
    }
    ending_ = true;
    for (const auto& sender : senders_) sender->RequestStop();
    work_.notify_all();
    changed_.notify_all();
  }
  senders_.clear();  // joins; nobody adds one any more
  const std::scoped_lock guard(mutex_);
  for (const Signal signal : kSignals) {
    const std::size_t left = queue_.items(signal);
    counters_.Drop(signal, DropReason::kShutdown, left);
    if (left == 0) continue;
    log_.Warn("Could not deliver everything before the end",
              {{"signal", NameOf(signal)}, {"dropped", left}, {"error", delivery_.problem}});
  }
  queue_.Clear();
}

RelayReport Relay::Report() const {
  const std::scoped_lock guard(mutex_);
  RelayReport report{
      .delivery = delivery_, .queue_bytes = queue_.bytes(), .queue_budget = queue_.budget()};
  for (const Signal signal : kSignals) report.queued[IndexOf(signal)] = queue_.items(signal);
  return report;
}

void Relay::LogDelivery(const Delivery& before, const Delivery& after) const {
  if (after.failing_since && !before.failing_since) {
    log_.Warn("Could not deliver, tries again",
              {{"destination", after.destination}, {"error", after.problem}});
  } else if (after.failing_since && after.problem != before.problem) {
    log_.Debug("Could not deliver, tries again",
               {{"destination", after.destination}, {"error", after.problem}});
  } else if (!after.failing_since && before.failing_since) {
    log_.Info("Delivers again", {{"destination", after.destination}});
  }
}

}  // namespace tracekeeper::otlp
