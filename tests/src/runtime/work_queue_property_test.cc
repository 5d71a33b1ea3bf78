// WorkQueue against a model that is too simple to be wrong: a plain list of waiting keys that is
// searched from the front. Random operations, one seed a test; a failure names its seed.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "src/runtime/work_queue.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::runtime {
namespace {

using namespace std::chrono_literals;
using kube::ObjectKey;
using test_support::ManualClock;

class Model {
 public:
  void Add(const ObjectKey& key, Duration delay, int priority, MonotonicTime now) {
    Promote(now);
    auto known = std::find_if(waits_.begin(), waits_.end(),
                              [&](const Wait& wait) { return wait.key == key; });
    if (known == waits_.end()) {
      waits_.push_back({key, priority, now + delay, next_order_++, delay <= Duration::zero()});
      return;
    }
    if (priority > known->priority) {
      known->priority = priority;
      if (known->due) known->order = next_order_++;
    }
    if (known->due) return;
    if (delay <= Duration::zero()) {
      known->due = true;
      known->order = next_order_++;
      return;
    }
    known->due_at = std::min(known->due_at, now + delay);
  }

  std::optional<ObjectKey> TryGet(MonotonicTime now) {
    Promote(now);
    auto best = waits_.end();
    for (auto wait = waits_.begin(); wait != waits_.end(); ++wait) {
      if (!wait->due || running_.contains(wait->key)) continue;
      if (best == waits_.end() || wait->priority > best->priority ||
          (wait->priority == best->priority && wait->order < best->order)) {
        best = wait;
      }
    }
    if (best == waits_.end()) return std::nullopt;
    const ObjectKey key = best->key;
    running_[key] = best->priority;
    waits_.erase(best);
    return key;
  }

  enum class End { kSucceeded, kRetry, kRunAfter, kGivenUp };
  void Done(const ObjectKey& key, End end, Duration delay, MonotonicTime now) {
    Promote(now);
    const int priority = running_.at(key);
    running_.erase(key);
    if (end == End::kSucceeded || end == End::kRunAfter) failures_[key] = 0;
    if (end == End::kRunAfter) Add(key, delay, priority, now);
    if (end == End::kRetry) {
      Add(key, std::min<Duration>(5ms * (1 << std::min(failures_[key], 20)), 1000s), priority, now);
      ++failures_[key];
    }
  }

  [[nodiscard]] std::vector<ObjectKey> running() const {
    std::vector<ObjectKey> keys;
    for (const auto& [key, priority] : running_) keys.push_back(key);
    return keys;
  }

 private:
  struct Wait {
    ObjectKey key;
    int priority;
    MonotonicTime due_at;
    std::uint64_t order;
    bool due;
  };

  void Promote(MonotonicTime now) {
    while (true) {
      Wait* next = nullptr;
      for (Wait& wait : waits_) {
        if (wait.due || wait.due_at > now) continue;
        if (next == nullptr || wait.due_at < next->due_at ||
            (wait.due_at == next->due_at && wait.order < next->order)) {
          next = &wait;
        }
      }
      if (next == nullptr) return;
      next->due = true;
      next->order = next_order_++;
    }
  }

  std::vector<Wait> waits_;
  std::map<ObjectKey, int> running_;
  std::map<ObjectKey, int> failures_;
  std::uint64_t next_order_ = 0;
};

class WorkQueueProperty : public testing::TestWithParam<std::uint32_t> {};

TEST_P(WorkQueueProperty, HandsOutWhatTheModelHandsOut) {
  std::mt19937 random(GetParam());
  const auto draw = [&](int below) { return static_cast<int>(random() % below); };
  ManualClock clock;
  WorkQueue queue({.name = "q"}, clock, NoMetrics());
  Model model;
  std::set<ObjectKey> running;

  for (int step = 0; step < 3000; ++step) {
    const ObjectKey key{"n", std::to_string(draw(8))};
    const int priority = (draw(3) - 1) * 100;
    switch (draw(6)) {
      case 0:
        queue.Add(key, static_cast<Priority>(priority));
        model.Add(key, {}, priority, clock.Monotonic());
        break;
      case 1: {
        const Duration delay = draw(2000) * 1ms;
        queue.AddAfter(key, delay, static_cast<Priority>(priority));
        model.Add(key, delay, priority, clock.Monotonic());
        break;
      }
      case 2:
        clock.Advance(draw(500) * 1ms);
        break;
      case 3: {
        const std::vector<ObjectKey> candidates = model.running();
        if (candidates.empty()) break;
        const ObjectKey done = candidates[random() % candidates.size()];
        const Duration delay = (1 + draw(1000)) * 1ms;
        const auto end = static_cast<Model::End>(draw(4));
        const Outcome outcomes[] = {Outcome::Succeeded(), Outcome::Retry(),
                                    Outcome::RunAfter(delay), Outcome::GivenUp()};
        queue.Done(done, outcomes[static_cast<int>(end)]);
        model.Done(done, end, delay, clock.Monotonic());
        running.erase(done);
        break;
      }
      default: {
        const auto got = queue.TryGet();
        ASSERT_EQ(got, model.TryGet(clock.Monotonic())) << "step " << step;
        if (got) {
          ASSERT_TRUE(running.insert(*got).second) << "handed out twice, step " << step;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, WorkQueueProperty, testing::Range(1U, 41U));

TEST(WorkQueueThreads, NoKeyRunsTwiceAtOnceAndNoAddIsLost) {
  constexpr int kKeys = 7;
  const SystemClock clock;
  WorkQueue queue({.name = "q"}, clock, NoMetrics());
  // A producer raises a key's wanted value, then adds it; a worker copies it. Whoever copies an old
  // value is run again, so in the end all are equal.
  std::array<std::atomic<int>, kKeys> wanted{};
  std::array<std::atomic<int>, kKeys> seen{};
  std::array<std::atomic<int>, kKeys> inside{};
  std::atomic<int> overlaps = 0;
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < 4; ++i) {
      workers.emplace_back([&] {
        while (const auto key = queue.Get()) {
          const std::size_t index = std::stoul(key->name);
          if (++inside.at(index) != 1) ++overlaps;
          seen.at(index) = wanted.at(index).load();
          std::this_thread::yield();
          --inside.at(index);
          queue.Done(*key, Outcome::Succeeded());
        }
      });
    }
    {
      std::vector<std::jthread> producers;
      for (int i = 0; i < 2; ++i) {
        producers.emplace_back([&, i] {
          std::mt19937 random(static_cast<unsigned>(i));
          for (int n = 0; n < 5000; ++n) {
            const std::size_t index = random() % kKeys;
            ++wanted.at(index);
            queue.Add({"", std::to_string(index)});
          }
        });
      }
    }
    const auto settled = [&] {
      for (std::size_t i = 0; i < kKeys; ++i) {
        if (wanted.at(i) != seen.at(i)) return false;
      }
      return true;
    };
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (!settled() && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    EXPECT_TRUE(settled());
    queue.Stop();
  }
  EXPECT_EQ(overlaps, 0);
}

}  // namespace
}  // namespace tracekeeper::runtime
