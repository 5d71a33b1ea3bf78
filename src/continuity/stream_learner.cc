#include "src/continuity/stream_learner.h"

#include <algorithm>
#include <utility>

#include "src/continuity/profile_learner.h"
#include "src/continuity/trace_tree.h"

namespace tracekeeper::continuity {
namespace {

constexpr Microseconds kMicrosecondsPerTick = 100'000;

bool HasSmallerHash(const SampledTrace& left, const SampledTrace& right) {
  return left.hash < right.hash;
}

}  // namespace

std::uint64_t StreamLearner::sample_below() const {
  return sample_.size() < options_.traces ? UINT64_MAX : sample_.front().hash;
}

void StreamLearner::Offer(SampledTrace trace) {
  if (trace.hash >= sample_below() || trace.spans.size() > options_.trace_spans) return;
  if (sample_.size() == options_.traces) {
    std::ranges::pop_heap(sample_, HasSmallerHash);
    sample_.pop_back();
  }
  sample_.push_back(std::move(trace));
  std::ranges::push_heap(sample_, HasSmallerHash);
}

std::optional<Profile> StreamLearner::Advance(Tick now) {
  if (!std::exchange(has_begun_, true)) next_ = now + options_.warm_up;
  // A stream that has sent nothing yet has taught nothing.
  if (now < next_ || (samples_.empty() && sample_.empty())) return std::nullopt;
  const Microseconds drawn_with = settle_window_;
  LearnSettleWindow();
  const bool was_cut = samples_.empty() && settle_window_ > drawn_with;
  if (was_cut && !std::exchange(has_drawn_again_, true)) {
    sample_.clear();
    next_ = now + options_.warm_up + static_cast<Tick>(settle_window_ / kMicrosecondsPerTick);
    return std::nullopt;
  }
  next_ = now + options_.interval;
  samples_.push_back(std::exchange(sample_, {}));
  if (samples_.size() > options_.intervals) samples_.pop_front();
  Profile profile = LearnProfile();
  Remember(profile, now);
  return profile;
}

void StreamLearner::LearnSettleWindow() {
  const Microseconds uneven = 2 * kMicrosecondsPerTick * lags_.Spread();
  lags_.Clear();
  settle_windows_.push_back(
      std::clamp(uneven, options_.settle_window, kMostTimes * options_.settle_window));
  if (settle_windows_.size() > options_.intervals) settle_windows_.pop_front();
  settle_window_ = *std::ranges::max_element(settle_windows_);
}

Profile StreamLearner::LearnProfile() const {
  ProfileLearner learner(shapes_, names_);
  TraceTree tree(shapes_, names_);
  for (const std::vector<SampledTrace>& sample : samples_) {
    for (const SampledTrace& trace : sample) {
      tree.Build(trace.id, trace.spans);
      learner.Learn(tree);
    }
  }
  Profile profile = learner.Finish();
  profile.settle_window = settle_window_;
  return profile;
}

void StreamLearner::Remember(Profile& profile, Tick now) {
  for (const auto& [service, learned] : profile.services) {
    if (learned.is_instrumented) instrumented_[service] = now;
  }
  for (const auto& [address, service] : profile.addresses) addresses_[address] = {service, now};
  const auto is_old = [&](Tick learned) { return learned + options_.memory < now; };
  std::erase_if(instrumented_, [&](const auto& known) { return is_old(known.second); });
  std::erase_if(addresses_, [&](const auto& known) { return is_old(known.second.second); });
  for (const auto& [service, learned] : instrumented_) {
    profile.services[service].is_instrumented = true;
  }
  for (const auto& [address, known] : addresses_) profile.addresses.emplace(address, known.first);
}

}  // namespace tracekeeper::continuity
