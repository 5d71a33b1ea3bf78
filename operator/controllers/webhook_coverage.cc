#include "operator/controllers/webhook_coverage.h"

#include <algorithm>
#include <utility>

namespace tracekeeper::controllers {

void WebhookCoverageLedger::SetPrepared(const kube::ObjectKey& policy,
                                        std::vector<std::string> namespaces) {
  std::set<std::string> sorted(std::make_move_iterator(namespaces.begin()),
                               std::make_move_iterator(namespaces.end()));
  {
    const std::scoped_lock lock(mutex_);
    const auto found = prepared_.find(policy);
    if (found != prepared_.end() && found->second == sorted) return;
    prepared_[policy] = std::move(sorted);
  }
  if (on_prepared_) on_prepared_();
}

void WebhookCoverageLedger::Forget(const kube::ObjectKey& policy) {
  {
    const std::scoped_lock lock(mutex_);
    if (prepared_.erase(policy) == 0) return;
  }
  if (on_prepared_) on_prepared_();
}

void WebhookCoverageLedger::KeepCovered(const std::vector<std::string>& namespaces) {
  const std::scoped_lock lock(mutex_);
  kept_.insert(namespaces.begin(), namespaces.end());
}

domain::WebhookCoverage WebhookCoverageLedger::Prepared(domain::WebhookCoverage coverage) const {
  const std::scoped_lock lock(mutex_);
  const auto unprepared = [this](const std::string& name) {
    if (kept_.contains(name)) return false;
    return std::ranges::none_of(prepared_,
                                [&name](const auto& entry) { return entry.second.contains(name); });
  };
  std::erase_if(coverage.best_effort, unprepared);
  std::erase_if(coverage.required, unprepared);
  return coverage;
}

std::vector<kube::ObjectKey> WebhookCoverageLedger::SetApplied(
    const domain::WebhookCoverage& coverage, Instant now) {
  const std::scoped_lock lock(mutex_);
  std::map<std::string, Instant, std::less<>> covered;
  std::set<std::string> changed;
  for (const auto* names : {&coverage.best_effort, &coverage.required}) {
    for (const std::string& name : *names) {
      const auto before = covered_since_.find(name);
      if (before == covered_since_.end()) changed.insert(name);
      covered.emplace(name, before == covered_since_.end() ? now : before->second);
    }
  }
  for (const auto& [name, since] : covered_since_) {
    if (!covered.contains(name)) changed.insert(name);
  }
  covered_since_ = std::move(covered);
  const bool was_in_trouble = !std::exchange(trouble_, "").empty();
  const bool is_news = was_in_trouble || !std::exchange(is_known_, true);

  std::vector<kube::ObjectKey> concerned;
  for (const auto& [policy, namespaces] : prepared_) {
    const auto has_changed = [&](const std::string& name) { return changed.contains(name); };
    if (is_news || std::ranges::any_of(namespaces, has_changed)) concerned.push_back(policy);
  }
  return concerned;
}

std::vector<kube::ObjectKey> WebhookCoverageLedger::SetTrouble(std::string sentence) {
  const std::scoped_lock lock(mutex_);
  is_known_ = true;
  if (trouble_ == sentence) return {};
  trouble_ = std::move(sentence);
  std::vector<kube::ObjectKey> concerned;
  for (const auto& [policy, namespaces] : prepared_) concerned.push_back(policy);
  return concerned;
}

std::string WebhookCoverageLedger::trouble() const {
  const std::scoped_lock lock(mutex_);
  return trouble_;
}

bool WebhookCoverageLedger::is_known() const {
  const std::scoped_lock lock(mutex_);
  return is_known_;
}

std::vector<std::string> WebhookCoverageLedger::Uncovered(
    const std::vector<std::string>& namespaces, Instant now) const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> result;
  for (const std::string& name : namespaces) {
    const auto found = covered_since_.find(name);
    if (found == covered_since_.end() || now < found->second + kPropagation) result.push_back(name);
  }
  return result;
}

std::optional<Duration> WebhookCoverageLedger::SettlesIn(const std::vector<std::string>& namespaces,
                                                         Instant now) const {
  const std::scoped_lock lock(mutex_);
  std::optional<Duration> longest;
  for (const std::string& name : namespaces) {
    const auto found = covered_since_.find(name);
    if (found == covered_since_.end() || found->second + kPropagation <= now) continue;
    longest = std::max(longest.value_or(Duration::zero()), found->second + kPropagation - now);
  }
  return longest;
}

}  // namespace tracekeeper::controllers
