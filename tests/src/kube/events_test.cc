#include "src/kube/events.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "src/kube/document.h"
#include "src/kube/event_series.h"
#include "src/telemetry/prometheus_metrics.h"
#include "tests/support/fake_api_server.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::kube {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

EventNote Note(std::string reason, std::string note = "It happened") {
  return {.regarding = {.api_version = "v1", .kind = "Pod", .key = {"shop", "web"}, .uid = "u1"},
          .reason = std::move(reason),
          .action = "Reconcile",
          .note = std::move(note)};
}

// --- What is written -----------------------------------------------------------------------------

class SeriesOfEvents : public testing::Test {
 protected:
  EventSeries series_{
      {.reporting_controller = "tracekeeper.dev/operator", .reporting_instance = "operator-1"}};
  const Instant wall_{std::chrono::sys_days(std::chrono::year(2026) / 1 / 2)};
  const MonotonicTime start_{std::chrono::hours(5)};

  std::optional<EventWrite> Observe(const EventNote& note, Duration after) {
    return series_.Observe(note, wall_ + after, start_ + after);
  }
};

TEST_F(SeriesOfEvents, BeginWithAnEventThatSaysEverything) {
  const auto write = Observe(Note("Injected"), seconds(0));
  ASSERT_TRUE(write);
  EXPECT_EQ(write->verb, EventWrite::Verb::kCreate);
  EXPECT_EQ(write->event.namespace_name, "shop");
  EXPECT_TRUE(write->event.name.starts_with("web."));
  const auto event = Document::Parse(write->json);
  ASSERT_TRUE(event) << write->json;
  EXPECT_EQ((*event)["apiVersion"].StringOr(""), "events.k8s.io/v1");
  EXPECT_EQ((*event)["type"].StringOr(""), "Normal");
  EXPECT_EQ((*event)["reason"].StringOr(""), "Injected");
  EXPECT_EQ((*event)["note"].StringOr(""), "It happened");
  EXPECT_EQ((*event)["eventTime"].StringOr(""), "2026-01-02T00:00:00.000000Z");
  EXPECT_EQ((*event)["reportingInstance"].StringOr(""), "operator-1");
  EXPECT_EQ((*event)["regarding"]["uid"].StringOr(""), "u1");
}

TEST_F(SeriesOfEvents, CountTheSameThingWhateverItsNoteSays) {
  const auto first = Observe(Note("Injected", "one"), seconds(0));
  const auto second = Observe(Note("Injected", "two"), seconds(1));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->verb, EventWrite::Verb::kPatch);
  EXPECT_EQ(second->event, first->event);
  EXPECT_EQ(second->json,
            R"({"series":{"count":2,"lastObservedTime":"2026-01-02T00:00:01.000000Z"}})");
  for (int i = 2; i < 100; ++i) EXPECT_FALSE(Observe(Note("Injected"), seconds(i)));
  EXPECT_TRUE(series_.TakeDue(start_ + minutes(4)).empty());
  const auto due = series_.TakeDue(start_ + minutes(5) + seconds(1));
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].json,
            R"({"series":{"count":100,"lastObservedTime":"2026-01-02T00:01:39.000000Z"}})");
  EXPECT_TRUE(series_.TakeDue(start_ + minutes(5) + seconds(2)).empty()) << "nothing new to say";
}

TEST_F(SeriesOfEvents, AreApartByReasonActionTypeAndObject) {
  EventNote other_type = Note("A");
  other_type.type = EventType::kWarning;
  EventNote other_object = Note("A");
  other_object.regarding.key.name = "web-2";
  EventNote other_action = Note("A");
  other_action.action = "Evict";
  for (const EventNote& note : {Note("A"), Note("B"), other_type, other_object, other_action}) {
    const auto write = Observe(note, seconds(0));
    ASSERT_TRUE(write);
    EXPECT_EQ(write->verb, EventWrite::Verb::kCreate);
  }
  EXPECT_EQ(series_.size(), 5U);
}

TEST_F(SeriesOfEvents, EndSixMinutesAfterTheLastNote) {
  const auto first = Observe(Note("A"), seconds(0));
  Observe(Note("A"), minutes(1));
  Observe(Note("A"), minutes(2));
  const auto closing = series_.TakeDue(start_ + minutes(8) + seconds(1));
  ASSERT_EQ(closing.size(), 1U) << "the last count is written";
  EXPECT_EQ(series_.size(), 0U);
  const auto again = Observe(Note("A"), minutes(9));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->verb, EventWrite::Verb::kCreate);
  EXPECT_NE(again->event, first->event);
}

TEST_F(SeriesOfEvents, WriteAllCountsBeforeTheEnd) {
  for (int i = 0; i < 5; ++i) Observe(Note("A"), seconds(i));
  Observe(Note("B"), seconds(9));
  const auto all = series_.TakeAll();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_NE(all[0].json.find("\"count\":5"), std::string::npos);
}

TEST_F(SeriesOfEvents, KeepTheLimitsOfTheApi) {
  EventNote note = Note(std::string(200, 'R'), std::string(1023, 'n') + "π and more");
  note.action = std::string(200, 'a');
  note.regarding.key = {"", "system:odd_Name" + std::string(300, 'x')};
  const auto write = Observe(note, seconds(0));
  const auto event = Document::Parse(write->json);
  EXPECT_EQ((*event)["reason"].StringOr("").size(), 128U);
  EXPECT_EQ((*event)["action"].StringOr("").size(), 128U);
  EXPECT_EQ((*event)["note"].StringOr(""), std::string(1023, 'n')) << "cut between characters";
  EXPECT_EQ(write->event.namespace_name, "default");
  EXPECT_LE(write->event.name.size(), 253U);
  EXPECT_EQ(write->event.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-."),
            std::string::npos);
}

TEST_F(SeriesOfEvents, AreBoundedInNumber) {
  for (std::size_t i = 0; i < EventRecorder::kSeriesLimit + 10; ++i) {
    Observe(Note("R" + std::to_string(i)), std::chrono::milliseconds(i));
  }
  EXPECT_EQ(series_.size(), EventRecorder::kSeriesLimit);
}

// --- The recorder --------------------------------------------------------------------------------

class Recorder : public testing::Test {
 protected:
  test_support::ManualClock clock_;
  test_support::FakeApiServer server_{clock_};
  Client client_{{}, server_, server_, nullptr, clock_, NoMetrics()};
  telemetry::PrometheusMetrics metrics_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  EventRecorder recorder_{
      {.reporting_controller = "tracekeeper.dev/operator", .reporting_instance = "operator-1"},
      client_,
      clock_,
      metrics_,
      Logger(log_)};

  /// Lets time pass, a second at a time, until the server was asked that often.
  void AdvanceUntilRequests(std::string_view text, std::size_t count) {
    while (server_.CountRequests(text) < count) {
      clock_.Advance(seconds(1));
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }
  [[nodiscard]] bool Shows(const std::string& line) const {
    return metrics_.Text().find("tracekeeper_events_dropped_total{reason=" + line) !=
           std::string::npos;
  }
};

TEST_F(Recorder, WritesWhatIsQueuedWhenItStops) {
  recorder_.Start();
  recorder_.Record(Note("A"));
  recorder_.Record(Note("B"));
  for (int i = 0; i < 5; ++i) recorder_.Record(Note("B"));
  recorder_.Stop();
  const auto keys = server_.Keys(kEvents);
  ASSERT_EQ(keys.size(), 2U);
  std::string all;
  for (const ObjectKey& key : keys) all += *server_.Find(kEvents, key);
  EXPECT_NE(all.find("\"count\":6"), std::string::npos) << all;
}

TEST_F(Recorder, DropsAndCountsWhatDoesNotFit) {
  for (std::size_t i = 0; i < EventRecorder::kQueueLimit + 7; ++i) recorder_.Record(Note("A"));
  EXPECT_TRUE(Shows("\"queue_full\"} 7")) << metrics_.Text();
}

TEST_F(Recorder, TriesAgainWhileTheServerIsAway) {
  server_.FailNext({.method = "POST", .times = 3, .status = 503});
  recorder_.Start();
  recorder_.Record(Note("A"));
  const MonotonicTime start = clock_.Monotonic();
  AdvanceUntilRequests("POST", 4);
  EXPECT_GE(clock_.Monotonic() - start, seconds(30));
  recorder_.Stop();
  EXPECT_EQ(server_.CountRequests("POST"), 4U);
  EXPECT_EQ(server_.Keys(kEvents).size(), 1U);
}

TEST_F(Recorder, GivesUpWhatIsRefusedAndGoesOn) {
  server_.FailNext({.method = "POST", .status = 403});
  recorder_.Start();
  recorder_.Record(Note("A"));
  recorder_.Record(Note("B"));
  recorder_.Stop();
  EXPECT_EQ(server_.Keys(kEvents).size(), 1U);
  EXPECT_TRUE(Shows("\"refused\"} 1")) << metrics_.Text();
}

TEST_F(Recorder, MakesANewEventWhenTheServerHasForgottenTheOldOne) {
  recorder_.Start();
  recorder_.Record(Note("A"));
  while (server_.Keys(kEvents).empty()) std::this_thread::yield();
  server_.Remove(kEvents, server_.Keys(kEvents)[0]);
  recorder_.Record(Note("A"));  // a patch of what is not there
  while (server_.CountRequests("PATCH") == 0) std::this_thread::yield();
  recorder_.Record(Note("A"));
  recorder_.Stop();
  EXPECT_EQ(server_.Keys(kEvents).size(), 1U);
}

TEST_F(Recorder, DoesNotMakeAnEventTwiceWhenAnAnswerWasLost) {
  server_.FailNext({.method = "POST",
                    .error = Error{ErrorKind::kTimeout, "no answer in time", std::nullopt},
                    .after_the_work = true});
  recorder_.Start();
  recorder_.Record(Note("A"));
  AdvanceUntilRequests("POST", 2);
  recorder_.Stop();
  EXPECT_EQ(server_.Keys(kEvents).size(), 1U);
  EXPECT_FALSE(Shows("\"refused\"} 1"));
}

TEST_F(Recorder, StopsEvenIfItNeverStarted) { recorder_.Stop(); }

}  // namespace
}  // namespace tracekeeper::kube
