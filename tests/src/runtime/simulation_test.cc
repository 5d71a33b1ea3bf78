// Three replicas of a small operator against a server that breaks at random, on a clock of the
// test's own. One seed is one history; a failure names its seed.
//
// The operator copies every ConfigMap of namespace "shop" to namespace "out".

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "src/codec/json_writer.h"
#include "src/runtime/controller.h"
#include "src/runtime/informer.h"
#include "src/runtime/leader_elector.h"
#include "src/runtime/manager.h"
#include "tests/support/fake_api_server.h"
#include "tests/support/manual_clock.h"
#include "tests/support/quiescence.h"

namespace tracekeeper::runtime {
namespace {

using namespace std::chrono_literals;
using kube::kConfigMaps;
using kube::ObjectKey;
using test_support::FakeApiServer;
using test_support::ManualClock;
using test_support::WatchEnd;

constexpr Duration kStep = 200ms;

struct ConfigMap {
  kube::ObjectMeta meta;
  std::string value;
};

Result<ConfigMap> ProjectConfigMap(codec::JsonValue object) {
  ConfigMap map;
  map.meta = TRY(kube::DecodeMeta(object));
  map.value = object["data"]["value"].StringOr("");
  return map;
}

std::string ConfigMapJson(const ObjectKey& key, std::string_view value) {
  codec::JsonWriter json;
  json.BeginObject().Member("apiVersion", "v1").Member("kind", "ConfigMap");
  json.Key("metadata").BeginObject().Member("namespace", key.namespace_name);
  json.Member("name", key.name).EndObject();
  json.Key("data").BeginObject().Member("value", value).EndObject().EndObject();
  return json.Take();
}

// What must never happen, seen by all replicas.
struct Witness {
  std::mutex mutex;
  std::map<std::pair<int, ObjectKey>, int> running;
  int overlapping_runs = 0;
  std::atomic<int> leaders = 0;
  std::atomic<int> overlapping_leaders = 0;
};

// Leader work of one replica: its controller, counted.
class LeaderWork final : public Runnable {
 public:
  LeaderWork(Controller& controller, Witness& witness)
      : controller_(controller), witness_(witness) {}
  [[nodiscard]] std::string_view name() const override { return "copies"; }
  Status Start() override {
    if (++witness_.leaders > 1) ++witness_.overlapping_leaders;
    active = true;
    return controller_.Start();
  }
  void Stop() override {
    controller_.Stop();
    active = false;
    --witness_.leaders;
  }
  std::atomic<bool> active = false;

 private:
  Controller& controller_;
  Witness& witness_;
};

class Replica {
 public:
  Replica(int number, FakeApiServer& server, const Clock& clock, Log& log, Witness& witness)
      : number_(number),
        witness_(witness),
        client_({}, server, server, nullptr, clock, NoMetrics()),
        lease_client_({.max_repeats = 0}, server, server, nullptr, clock, NoMetrics()),
        from_({.resource = kConfigMaps, .selection = {.namespace_name = "shop"}}, ProjectConfigMap,
              client_, clock, Logger(log)),
        to_({.resource = kConfigMaps, .selection = {.namespace_name = "out"}}, ProjectConfigMap,
            client_, clock, Logger(log)),
        controller_(
            {.name = "copy", .workers = 3},
            [this](const ObjectKey& key, ReconcileContext& context) {
              return Reconcile(key, context);
            },
            clock, NoMetrics(), Logger(log)),
        work_(controller_, witness),
        elector_({.lease = {"tracekeeper", "leader"}, .identity = fmt::format("r{}", number)},
                 lease_client_, clock, NoMetrics(), Logger(log)),
        manager_({.ready_timeout = std::chrono::hours(10)}, clock, Logger(log)) {
    from_.store().AddHandler(EnqueueKey<ConfigMap>(controller_.queue()));
    to_.store().AddHandler(EnqueueMapped<ConfigMap>(controller_.queue(), [](const ConfigMap& map) {
      return std::vector<ObjectKey>{{"shop", map.meta.key.name}};
    }));
    manager_.Add(Phase::kCache, from_);
    manager_.Add(Phase::kCache, to_);
    manager_.Add(Phase::kLeader, work_);
    manager_.UseLeaderElection(elector_);
    thread_ = std::jthread([this](const StopToken& stop) {
      const Status end = manager_.Run(stop);
      ended = true;
    });
  }

  [[nodiscard]] std::string Describe() const {
    const auto one = [](const ReflectorStatus& status) {
      return fmt::format("{} at {}, {} syncs, {} failures ({})", NameOf(status.state),
                         status.resource_version, status.syncs, status.failures, status.last_error);
    };
    return fmt::format("r{}: leads {}, works {}, from {}, to {}", number_, elector_.is_leader(),
                       work_.active.load(), one(from_.status()), one(to_.status()));
  }
  void RequestStop() { thread_.request_stop(); }
  std::atomic<bool> ended = false;

 private:
  Result<Requeue> Reconcile(const ObjectKey& key, ReconcileContext& context) {
    const std::pair run{number_, key};
    {
      const std::scoped_lock lock(witness_.mutex);
      if (++witness_.running[run] > 1) ++witness_.overlapping_runs;
    }
    Result<Requeue> result = Copy(key, context);
    const std::scoped_lock lock(witness_.mutex);
    --witness_.running[run];
    return result;
  }

  Result<Requeue> Copy(const ObjectKey& key, ReconcileContext& context) {
    const auto from = from_.store().Find(key);
    const ObjectKey target{"out", key.name};
    const auto to = to_.store().Find(target);
    if (!from) {
      if (!to) return Requeue::Never();
      const Status deleted =
          client_.Delete(kConfigMaps, target, {.uid = to->meta.uid}, context.stop);
      if (!deleted && deleted.error().kind != ErrorKind::kNotFound) return Fail(deleted.error());
      return Requeue::Never();
    }
    if (to && to->value == from->value) return Requeue::Never();
    TRY(client_.Apply(kConfigMaps, target, ConfigMapJson(target, from->value),
                      {.field_manager = "copy", .force = kube::Force::kYes}, context.stop));
    return Requeue::Never();
  }

  const int number_;
  Witness& witness_;
  kube::Client client_;
  kube::Client lease_client_;
  Informer<ConfigMap> from_;
  Informer<ConfigMap> to_;
  Controller controller_;
  LeaderWork work_;
  LeaderElector elector_;
  Manager manager_;
  std::jthread thread_;
};

class Simulation : public testing::TestWithParam<std::uint32_t> {
 protected:
  ~Simulation() override {
    server_.Wake();
    for (auto& replica : replicas_) replica->RequestStop();
    for (auto& replica : replicas_) replica.reset();
  }

  int Draw(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  void StartReplica(std::size_t slot) {
    replicas_.at(slot) = std::make_unique<Replica>(next_number_++, server_, clock_, log_, witness_);
  }

  // Time goes on when everybody has done what the last step made them do: how long that takes on
  // this machine is not what is tested here.
  void Step() {
    test_support::StepClock(clock_, kStep);
    for (std::size_t slot = 0; slot < replicas_.size(); ++slot) {
      if (replicas_.at(slot)->ended) StartReplica(slot);
    }
  }

  void ChangeSomething() {
    const ObjectKey key{"shop", fmt::format("map-{}", Draw(12))};
    if (Draw(4) == 0) {
      server_.Remove(kConfigMaps, key);
    } else {
      server_.Put(kConfigMaps, ConfigMapJson(key, std::to_string(random_())));
    }
    if (Draw(10) == 0) server_.Remove(kConfigMaps, {"out", key.name});  // somebody meddles
  }

  void BreakSomething() {
    constexpr std::array kStatuses = {409, 410, 429, 500, 503, 504};
    constexpr std::array kEnds = {WatchEnd::kClean, WatchEnd::kBroken, WatchEnd::kExpired,
                                  WatchEnd::kInternalError};
    switch (Draw(10)) {
      case 0:
      case 1:
        server_.FailNext(
            {.times = 1 + Draw(4), .status = kStatuses.at(static_cast<std::size_t>(Draw(6)))});
        break;
      case 2:
        server_.FailNext({.times = 1 + Draw(3),
                          .error = Error{ErrorKind::kUnavailable, "connection reset", {}},
                          .after_the_work = Draw(2) == 0});
        break;
      case 3:
        server_.FailNext({.target_contains = "/leases",
                          .times = 1 + Draw(30),
                          .error = Error{ErrorKind::kUnavailable, "connection refused", {}}});
        break;
      case 4:
        server_.EndWatches(kEnds.at(static_cast<std::size_t>(Draw(4))));
        break;
      case 5:
        server_.Compact();
        break;
      case 6:
        server_.FallSilent();
        break;
      case 7:
        server_.Wake();
        break;
      case 8:
        server_.SetWatchList(Draw(2) == 0);
        server_.DripBytes(Draw(2) == 0 ? 0 : 7);
        break;
      default:
        replicas_.at(static_cast<std::size_t>(Draw(3)))->RequestStop();
    }
  }

  std::string Story() {
    const std::scoped_lock lock(lines_mutex_);
    std::string story =
        fmt::format("\nnow {:.1f}, leaders {}\n",
                    std::chrono::duration<double>(clock_.Monotonic().time_since_epoch()).count(),
                    witness_.leaders.load());
    for (const auto& replica : replicas_) story += replica->Describe() + "\n";
    for (const std::string& line : lines_) story += line + "\n";
    return story;
  }

  [[nodiscard]] bool Converged() const {
    std::map<std::string, std::string> from;
    std::map<std::string, std::string> to;
    for (const ObjectKey& key : server_.Keys(kConfigMaps)) {
      const auto json = server_.Find(kConfigMaps, key);
      if (!json) return false;
      codec::JsonParser parser;
      const auto document = parser.Parse(*json);
      auto& side = key.namespace_name == "shop" ? from : to;
      side[key.name] = (*document)["data"]["value"].StringOr("");
    }
    return from == to;
  }

  // Writes that are not the business of leader election.
  [[nodiscard]] std::size_t CountWorkWrites() const {
    return server_.CountWrites() - server_.CountRequests("PATCH /apis/coordination") -
           server_.CountRequests("POST /apis/coordination");
  }

  std::mt19937 random_{GetParam()};
  ManualClock clock_;
  FakeApiServer server_{clock_};
  // The last lines of all replicas, for a failure.
  std::mutex lines_mutex_;
  std::deque<std::string> lines_;
  Log log_{LogLevel::kInfo, [this](LogLevel, std::string_view line) {
             const std::scoped_lock lock(lines_mutex_);
             const auto now = clock_.Monotonic().time_since_epoch();
             lines_.push_back(
                 fmt::format("{:.1f} {}", std::chrono::duration<double>(now).count(), line));
             if (lines_.size() > 60) lines_.pop_front();
           }};
  Witness witness_;
  int next_number_ = 0;
  std::array<std::unique_ptr<Replica>, 3> replicas_;
};

TEST_P(Simulation, ConvergesWithOneLeaderAndThenWritesNothing) {
  for (std::size_t slot = 0; slot < replicas_.size(); ++slot) StartReplica(slot);
  for (int step = 0; step < 1500; ++step) {
    if (Draw(3) == 0) ChangeSomething();
    if (Draw(12) == 0) BreakSomething();
    Step();
  }

  server_.Wake();
  server_.DripBytes(0);
  server_.SetWatchList(true);
  // A key that failed again and again waits up to 1,000 s.
  int steps = 0;
  while (!Converged() && ++steps < 6000) Step();
  ASSERT_TRUE(Converged()) << "not after " << steps * 0.2 << " s without a fault" << Story();

  // A watch that broke again and again waits up to 60 s, and its replica acts on what it saw
  // before.
  for (int step = 0; step < 400; ++step) Step();
  server_.ForgetRequests();
  for (int step = 0; step < 100; ++step) Step();
  EXPECT_EQ(CountWorkWrites(), 0U) << "nothing changed" << Story();
  EXPECT_EQ(witness_.overlapping_leaders, 0) << Story();
  const std::scoped_lock lock(witness_.mutex);
  EXPECT_EQ(witness_.overlapping_runs, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulation, testing::Range(1U, 13U));

}  // namespace
}  // namespace tracekeeper::runtime
