// What only a real API server and a real network can show: who we are, rights, strict validation,
// Leases and Events as the server takes them, tokens that change, a server that goes away.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "src/kube/connect.h"
#include "src/kube/discovery.h"
#include "src/kube/events.h"
#include "src/kube/file_contents.h"
#include "src/kube/lease.h"
#include "src/net/transports.h"
#include "tests/src/kube/test_files.h"
#include "tests/support/bed.h"
#include "tests/support/eventually.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test_support::Bed;
using test_support::BedPart;

/// These share one control plane; what a test writes has a name of its own.
class RealServer : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (Bed::WhyNot({})) return;
    static const Status sized = net::InitializeCpprest();  // once a process
    ASSERT_TRUE(sized);
    auto started = Bed::Start();
    ASSERT_TRUE(started) << started.error().message;
    bed_ = std::move(*started);
  }
  static void TearDownTestSuite() { bed_.reset(); }

  void SetUp() override {
    if (const auto why_not = Bed::WhyNot({})) GTEST_SKIP() << *why_not;
    ASSERT_NE(bed_, nullptr);
    admin_ = Connect(bed_->admin_kubeconfig());
    ASSERT_NE(admin_, nullptr);
  }

  std::unique_ptr<Connection> Connect(const std::string& kubeconfig,
                                      UnaryAdapter adapter = UnaryAdapter::kCpprest) {
    auto config = LoadConfig({.kubeconfig_flag = kubeconfig});
    EXPECT_TRUE(config) << config.error().message;
    return config ? Connect(*config, clock_, adapter) : nullptr;
  }
  std::unique_ptr<Connection> Connect(const Config& config, const Clock& clock,
                                      UnaryAdapter adapter = UnaryAdapter::kCpprest) {
    auto made = Connection::Make(config, {}, adapter, clock, NoMetrics(), Logger(log_));
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : nullptr;
  }
  [[nodiscard]] Client& client() const { return admin_->client(); }

  static inline std::unique_ptr<Bed> bed_;
  SystemClock clock_;
  Log log_{LogLevel::kWarn};
  std::unique_ptr<Connection> admin_;
};

ErrorKind KindOf(const Status& status) {
  return status ? ErrorKind::kInternal : status.error().kind;
}

std::string ConfigMapNamed(std::string_view name) {
  return fmt::format(
      R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{}"}},"data":{{"k":"v"}}}})",
      name);
}

TEST_F(RealServer, AnswersWhatItIsAndWhatWeMay) {
  const auto version = GetServerVersion(client(), {});
  ASSERT_TRUE(version) << version.error().message;
  EXPECT_EQ(version->major, 1);
  EXPECT_GE(version->minor, 30);
  EXPECT_TRUE(*ServesResource(client(), kDeployments, {}));
  EXPECT_TRUE(*ServesResource(client(), kPods, {}));
  EXPECT_FALSE(*ServesResource(client(), {"apps", "v1", "nothings", "Nothing"}, {}));
  EXPECT_FALSE(*ServesResource(client(), {"no.example.com", "v1", "nothings", "Nothing"}, {}));
  EXPECT_TRUE(MayI(client(), {.verb = "delete", .resource = "nodes"}, {})->allowed);
  EXPECT_EQ(*client().CallText({.target = "/readyz", .what = "look at /readyz"}, {}), "ok");

  const auto stranger = Connect(bed_->unprivileged_kubeconfig());
  EXPECT_FALSE(MayI(stranger->client(), {.verb = "list", .resource = "pods"}, {})->allowed);
  const auto refused = stranger->client().Get(kPods, {"default", "web"}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kForbidden);
  EXPECT_NE(refused.error().message.find("cannot get resource"), std::string::npos);
}

TEST_F(RealServer, RefusesFieldsItDoesNotKnow) {
  const std::string odd =
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"dataa":{"k":"v"}})";
  const auto applied =
      client().Apply(kConfigMaps, {"default", "a"}, odd, {.field_manager = "tester"}, {});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(applied.error().message.find("dataa"), std::string::npos) << applied.error().message;
  const auto created = client().Create(kConfigMaps, "default", odd, {}, {});
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, ErrorKind::kInvalid);
}

TEST_F(RealServer, NamesTheManagersOfAConflict) {
  ASSERT_TRUE(client().Apply(kConfigMaps, {"default", "contested"}, ConfigMapNamed("contested"),
                             {.field_manager = "first-manager"}, {}));
  std::string other = ConfigMapNamed("contested");
  other.replace(other.find("\"v\""), 3, "\"w\"");
  const auto refused =
      client().Apply(kConfigMaps, {"default", "contested"}, other, {.field_manager = "second"}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_NE(refused.error().message.find("first-manager"), std::string::npos)
      << refused.error().message;
}

TEST_F(RealServer, TakesOurLeases) {
  const ObjectKey key{"default", "operator"};
  EXPECT_EQ(GetLease(client(), key, {}).error().kind, ErrorKind::kNotFound);
  const LeaseRecord record{
      .holder_identity = "one",
      .acquire_time = std::chrono::floor<std::chrono::microseconds>(clock_.Now()),
      .renew_time = std::chrono::floor<std::chrono::microseconds>(clock_.Now())};
  const auto created = CreateLease(client(), key, record, {});
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->record, record);
  EXPECT_EQ(CreateLease(client(), key, record, {}).error().kind, ErrorKind::kAlreadyExists);
  LeaseRecord taken = record;
  taken.holder_identity = "two";
  const auto updated = UpdateLease(client(), *created, taken, {});
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_EQ(UpdateLease(client(), *created, record, {}).error().kind, ErrorKind::kConflict);
  const auto released = ReleaseLease(client(), *updated, clock_.Now(), {});
  ASSERT_TRUE(released) << released.error().message;
  EXPECT_EQ(GetLease(client(), key, {})->record.holder_identity, "");
}

TEST_F(RealServer, ShowsOurEventsAsKubectlDoes) {
  const auto made = client().Apply(kConfigMaps, {"default", "shop"}, ConfigMapNamed("shop"),
                                   {.field_manager = "tester"}, {});
  ASSERT_TRUE(made) << made.error().message;
  EventRecorder recorder(
      {.reporting_controller = "tracekeeper.dev/operator", .reporting_instance = "operator-1"},
      client(), clock_, NoMetrics(), Logger(log_));
  recorder.Start();
  const EventNote note{.regarding = {.api_version = "v1",
                                     .kind = "ConfigMap",
                                     .key = {"default", "shop"},
                                     .uid = std::string((*made)["metadata"]["uid"].StringOr(""))},
                       .type = EventType::kWarning,
                       .reason = "Tested",
                       .action = "Test",
                       .note = "It was tested"};
  for (int i = 0; i < 3; ++i) recorder.Record(note);
  EventNote of_cluster = note;
  of_cluster.regarding = {.api_version = "rbac.authorization.k8s.io/v1",
                          .kind = "ClusterRole",
                          .key = {"", "system:node"}};
  recorder.Record(of_cluster);
  recorder.Stop();
  // ConfigMaps have no events section in `describe`; `get events` shows what it would.
  const auto shown = bed_->RunKubectl({"get", "events", "-n", "default", "-o", "wide"});
  EXPECT_NE(shown.out.find("configmap/shop"), std::string::npos) << shown.out << shown.err;
  EXPECT_NE(shown.out.find("It was tested"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("clusterrole/system:node"), std::string::npos) << shown.out;
  const auto counted = bed_->RunKubectl(
      {"get", "events.v1.events.k8s.io", "-n", "default", "-o",
       "jsonpath={range .items[?(@.regarding.name==\"shop\")]}{.series.count}{end}"});
  EXPECT_EQ(counted.out, "3") << counted.err;
}

TEST_F(RealServer, GoesOnWithTheTokenThatReplacesAnExpiredOne) {
  // The server's own answer to a token it does not take (any more) is the same 401.
  const auto account = bed_->ServiceAccountKubeconfig("default", "rotated");
  ASSERT_TRUE(account) << account.error().message;
  auto config = LoadConfig({.kubeconfig_flag = account->string()});
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_FALSE(config->token.file.empty());
  const std::string good = *ReadSmallFile(config->token.file, 1U << 20U);

  TestFiles files;
  config->token.file = files.Write("token", "eyJhbGciOiJSUzI1NiJ9.e30.ZXhwaXJlZA");
  test_support::ManualClock frozen;  // no period passes: only the 401 can make it read again
  for (const UnaryAdapter adapter : {UnaryAdapter::kBeast, UnaryAdapter::kCpprest}) {
    files.Write("token", "eyJhbGciOiJSUzI1NiJ9.e30.ZXhwaXJlZA");
    const auto connection = Connect(*config, frozen, adapter);
    const AccessQuestion question{.verb = "get", .resource = "pods"};
    const auto refused = MayI(connection->client(), question, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnauthorized);
    EXPECT_EQ(refused.error().message.find("eyJ"), std::string::npos);
    files.Write("token", good);
    EXPECT_TRUE(MayI(connection->client(), question, {})) << "the next call works";
  }
}

TEST_F(RealServer, IsNotTalkedToWhenAnotherAuthorityVouchesForIt) {
  auto config = LoadConfig({.kubeconfig_flag = bed_->admin_kubeconfig()});
  config->certificate_authority = {.file = "/etc/ssl/certs/ca-certificates.crt"};
  for (const UnaryAdapter adapter : {UnaryAdapter::kBeast, UnaryAdapter::kCpprest}) {
    const auto connection = Connect(*config, clock_, adapter);
    const auto answer = connection->client().Get(kNamespaces, {"", "default"}, {});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
    EXPECT_NE(answer.error().message.find("certificate"), std::string::npos)
        << answer.error().message;
  }
}

/// Names that lists and watches have shown, over as many of both as it took.
class SeenNames final : public WatchSink, public ListSink {
 public:
  Status OnEvent(const WatchEvent& event) override {
    if (!event.resource_version.empty()) version = event.resource_version;
    if (event.type == WatchEventType::kAdded) return OnObject(event.object);
    return {};
  }
  void OnRestart() override {}
  Status OnObject(codec::JsonValue object) override {
    names.insert(std::string(object["metadata"]["name"].StringOr("")));
    count = names.size();
    return {};
  }
  void OnBrokenObject(const Error& error) override { ADD_FAILURE() << error.message; }

  std::string version;
  std::set<std::string> names;
  std::atomic<std::size_t> count = 0;
};

/// Lists, then watches from there; again from its last version when the stream breaks, and from a
/// new list when the server has no history of it any more, as after its restart.
void FollowLoad(Client& client, SeenNames& seen, const StopToken& stop) {
  const Selection selection{.namespace_name = "default", .label_selector = "load=yes"};
  const SystemClock clock;
  while (!stop.stop_requested()) {
    if (seen.version.empty()) {
      const auto list = client.List(kConfigMaps, {.selection = selection}, seen, stop);
      if (list) seen.version = list->resource_version;
    }
    if (!seen.version.empty()) {
      const Status watched = client.Watch(
          kConfigMaps, {.selection = selection, .resource_version = seen.version}, seen, stop);
      if (KindOf(watched) == ErrorKind::kExpired) seen.version.clear();
    }
    clock.SleepFor(milliseconds(50), stop);
  }
}

/// As a controller does: again until it is in force, which apply makes harmless. How often it was
/// refused.
int ApplyUntilInForce(Client& client, const std::string& name) {
  const std::string json = fmt::format(
      R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{}","labels":{{"load":"yes"}}}}}})",
      name);
  int refused = 0;
  EXPECT_TRUE(test_support::Eventually(
      [&] {
        const ApplyOptions options{.field_manager = "tester"};
        if (client.Apply(kConfigMaps, {"default", name}, json, options, {})) return true;
        ++refused;
        return false;
      },
      seconds(60)));
  return refused;
}

TEST_F(RealServer, RestartsUnderLoadAndNoWriteOrEventIsLost) {
  constexpr std::size_t kWriters = 4;
  constexpr std::size_t kObjects = 60;
  SeenNames seen;
  std::jthread watcher([&](const std::stop_token& stop) { FollowLoad(client(), seen, stop); });

  std::atomic<std::size_t> written = 0;
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> writers;
    writers.reserve(kWriters);
    for (std::size_t writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&, writer] {
        for (std::size_t i = 0; i < kObjects; ++i) {
          refused += ApplyUntilInForce(client(), fmt::format("load-{}-{}", writer, i));
          ++written;
        }
      });
    }
    while (written < kWriters * kObjects / 4) std::this_thread::sleep_for(milliseconds(5));
    const Status restarted = bed_->Restart(BedPart::kApiServer);
    EXPECT_TRUE(restarted) << restarted.error().message;
  }
  EXPECT_EQ(written, kWriters * kObjects);
  EXPECT_GT(refused, 0) << "the restart was felt";
  EXPECT_TRUE(
      test_support::Eventually([&] { return seen.count == kWriters * kObjects; }, seconds(30)))
      << seen.count;
}

TEST_F(RealServer, StopsAtOnceWhenAsked) {
  std::stop_source stop;
  SeenNames sink;
  Status watched;
  std::jthread watcher([&] {
    watched = client().Watch(kConfigMaps, {.send_initial_events = true}, sink, stop.get_token());
  });
  std::this_thread::sleep_for(milliseconds(300));
  const auto asked = std::chrono::steady_clock::now();
  stop.request_stop();
  watcher.join();
  EXPECT_EQ(KindOf(watched), ErrorKind::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, seconds(5));
}

}  // namespace
}  // namespace tracekeeper::kube
