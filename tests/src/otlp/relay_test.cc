#include "src/otlp/relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "src/otlp/export_response.h"
#include "tests/src/otlp/fake_exporter.h"
#include "tests/support/eventually.h"
#include "tests/support/manual_clock.h"
#include "tests/support/otlp_requests.h"

namespace tracekeeper::otlp {
namespace {

using std::chrono::seconds;
using test_support::IdOf;
using test_support::SpanIdsOf;
using test_support::TestSpan;
using test_support::TracesRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Duration kAge = std::chrono::milliseconds(200);

std::string Spans(std::uint64_t first, std::uint64_t count, std::size_t padding = 0) {
  std::vector<TestSpan> spans;
  for (std::uint64_t i = first; i < first + count; ++i) {
    spans.push_back(
        {.trace_id = IdOf(i, 16), .span_id = IdOf(i, 8), .padding = std::string(padding, 'p')});
  }
  return TracesRequest("a", spans);
}

class RelayTest : public ::testing::Test {
 protected:
  void Use(std::shared_ptr<Exporter> exporter, const char* ratio = "1") {
    relay_.Configure({.queue = {.budget = 100'000, .batch = {.age = kAge}},
                      .sampler = *Sampler::ForRatio(ratio),
                      .exporter = std::move(exporter)});
  }
  std::optional<Refusal> Accept(const std::string& request) {
    return RefusalOf(relay_.Accept(Signal::kTraces, Ingress::kGrpc, request));
  }
  static std::optional<Refusal> RefusalOf(const Accepted& accepted) {
    if (accepted) return std::nullopt;
    return accepted.error();
  }
  /// Moves the clock on whenever the relay waits for it, until `condition` holds.
  bool Until(const std::function<bool()>& condition, Duration step = kAge) {
    return test_support::Eventually(
        [&] {
          if (condition()) return true;
          clock_.Advance(step);
          return condition();
        },
        seconds(20));
  }
  std::uint64_t Sent() { return relay_.counters().sent[0]; }
  std::uint64_t Received() { return relay_.counters().received[0].Get(Ingress::kGrpc); }
  std::uint64_t Dropped(DropReason reason) { return relay_.counters().dropped[0].Get(reason); }

  test_support::ManualClock clock_;
  std::vector<std::string> lines_;
  std::mutex lines_mutex_;
  Log log_{LogLevel::kInfo, [this](LogLevel, std::string_view line) {
             const std::scoped_lock guard(lines_mutex_);
             lines_.emplace_back(line);
           }};
  std::shared_ptr<FakeExporter> backend_ = std::make_shared<FakeExporter>();
  Relay relay_{clock_, Logger(log_)};
};

TEST_F(RelayTest, DeliversWhatItAccepts) {
  Use(backend_);
  EXPECT_FALSE(Accept(Spans(1, 2)));
  EXPECT_FALSE(Accept(Spans(3, 1)));
  ASSERT_TRUE(Until([&] { return Sent() == 3; }));
  const auto attempts = backend_->attempts();
  ASSERT_EQ(attempts.size(), 1U) << "one batch";
  EXPECT_THAT(SpanIdsOf(attempts[0].body), ElementsAre(IdOf(1, 8), IdOf(2, 8), IdOf(3, 8)));
  EXPECT_EQ(Received(), 3U);
  EXPECT_TRUE(relay_.Report().delivery.last_success);
}

TEST_F(RelayTest, CompressesAsTheExporterSays) {
  auto gzip = std::make_shared<FakeExporter>("gzip", codec::Compression::kGzip);
  Use(gzip);
  Accept(Spans(1, 50, 100));
  ASSERT_TRUE(Until([&] { return Sent() == 50; }));
  codec::Decompressor decompressor;
  const auto attempts = gzip->attempts();
  const auto body = decompressor.Decompress(codec::Compression::kGzip, attempts[0].body, 1U << 20U);
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(SpanIdsOf(*body).size(), 50U);
  EXPECT_LT(attempts[0].body.size(), body->size() / 2);
}

TEST_F(RelayTest, RefusesWhatIsNoOtlp) {
  Use(backend_);
  const auto refusal = Accept("nonsense");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefuseReason::kMalformed);
  EXPECT_THAT(refusal->sentence, HasSubstr("no OTLP traces"));
  EXPECT_EQ(Received(), 0U);
  EXPECT_EQ(relay_.counters().refused.Get(RefuseReason::kMalformed), 1U);
}

TEST_F(RelayTest, DropsAndCountsWhatHasNowhereToGo) {
  Use(nullptr);
  EXPECT_FALSE(Accept(Spans(1, 4)));
  EXPECT_EQ(Received(), 4U);
  EXPECT_EQ(Dropped(DropReason::kNoDestination), 4U);
}

TEST_F(RelayTest, SamplesByTraceAndSaysSoOnTheSpan) {
  Use(backend_, "0.5");
  const std::string low = std::string(8, '\1') + std::string(8, '\1');
  const std::string high = std::string(8, '\1') + std::string(8, '\xfe');
  Accept(TracesRequest("a", {{.trace_id = low}, {.trace_id = high}}));
  ASSERT_TRUE(Until([&] { return Sent() == 1; }));
  EXPECT_EQ(Dropped(DropReason::kSampled), 1U);
  const auto spans = test_support::SpansOf(backend_->attempts()[0].body);
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0].span.trace_id, high);
  EXPECT_EQ(spans[0].span.tracestate, "ot=th:8");
}

TEST_F(RelayTest, TriesAgainUntilTheBackendIsThere) {
  for (int i = 0; i < 5; ++i) backend_->Script(NoAnswer{{ErrorKind::kUnavailable, "refused"}});
  Use(backend_);
  Accept(Spans(1, 1));
  ASSERT_TRUE(Until([&] { return relay_.Report().delivery.failing_since.has_value(); }));
  EXPECT_EQ(relay_.Report().delivery.problem, "refused");
  ASSERT_TRUE(Until([&] { return Sent() == 1; }, seconds(10)));
  EXPECT_EQ(backend_->attempts().size(), 6U);
  EXPECT_EQ(relay_.counters().retried, 5U);
  EXPECT_FALSE(relay_.Report().delivery.failing_since);
  EXPECT_THAT(relay_.Report().delivery.problem, IsEmpty());
  const std::scoped_lock guard(lines_mutex_);
  const auto warnings = std::count_if(lines_.begin(), lines_.end(), [](const std::string& line) {
    return line.find("Could not deliver") != std::string::npos;
  });
  EXPECT_EQ(warnings, 1) << "once, not at every attempt";
}

TEST_F(RelayTest, WaitsTenMinutesWhenTheBackendAsksForThat) {
  backend_->Script(HttpAnswer{.status = 429, .retry_after = "600"});
  Use(backend_);
  Accept(Spans(1, 1));
  ASSERT_TRUE(Until([&] { return backend_->attempts().size() == 1; }));
  ASSERT_TRUE(clock_.WaitForWaiters(1));
  for (int i = 0; i < 9; ++i) clock_.Advance(std::chrono::minutes(1));
  EXPECT_EQ(backend_->attempts().size(), 1U);
  EXPECT_EQ(Dropped(DropReason::kRejected), 0U);
  ASSERT_TRUE(Until([&] { return Sent() == 1; }, std::chrono::minutes(1)));
}

TEST_F(RelayTest, DoesNotLetABatchThatWaitsHoldUpTheOthers) {
  backend_->Script(HttpAnswer{.status = 503, .retry_after = "600"});
  Use(backend_);
  Accept(Spans(1, 1));
  ASSERT_TRUE(Until([&] { return backend_->attempts().size() == 1; }));
  ASSERT_TRUE(clock_.WaitForWaiters(1));
  Accept(Spans(2, 1));
  clock_.Advance(kAge);
  Accept(Spans(3, 1));
  EXPECT_TRUE(test_support::Eventually([&] { return Sent() == 2; }, seconds(20)));
  EXPECT_EQ(relay_.Report().queued[0], 1U);
}

TEST_F(RelayTest, GivesWhatWaitsToTheNewDestinationAtOnce) {
  backend_->set_otherwise(HttpAnswer{.status = 503, .retry_after = "900"});
  Use(backend_);
  Accept(Spans(1, 1));
  ASSERT_TRUE(Until([&] { return backend_->attempts().size() == 1; }));
  auto other = std::make_shared<FakeExporter>("other", codec::Compression::kGzip);
  Use(other);
  ASSERT_TRUE(other->WaitForAttempts(1)) << "without waiting out the 15 minutes";
  ASSERT_TRUE(test_support::Eventually([&] { return Sent() == 1; }, seconds(20)));
  EXPECT_EQ(relay_.Report().delivery.destination, "other");
}

TEST_F(RelayTest, DropsAndCountsWhatTheBackendRefusesForGood) {
  backend_->Script(HttpAnswer{.status = 404});
  Use(backend_);
  Accept(Spans(1, 3));
  ASSERT_TRUE(Until([&] { return Dropped(DropReason::kRejected) == 3; }));
  EXPECT_EQ(relay_.Report().queue_bytes, 0U);
}

TEST_F(RelayTest, CountsThePartOfAPartialSuccess) {
  backend_->Script(HttpAnswer{
      .content_type = "application/x-protobuf",
      .body = WriteExportResponse(Signal::kTraces, PayloadFormat::kProtobuf, {2, "too old"})});
  Use(backend_);
  Accept(Spans(1, 5));
  ASSERT_TRUE(Until([&] { return Sent() == 3; }));
  EXPECT_EQ(Dropped(DropReason::kRejected), 2U);
}

/// Refuses every batch that holds the span `bad`, as a backend that cannot read it would.
class PickyExporter final : public Exporter {
 public:
  explicit PickyExporter(std::string bad) : bad_(std::move(bad)) {}
  Answer Export(Signal, std::string& body, const StopToken&) override {
    const auto ids = SpanIdsOf(body);
    const std::scoped_lock guard(mutex_);
    if (std::find(ids.begin(), ids.end(), bad_) != ids.end()) return HttpAnswer{.status = 400};
    taken_.insert(ids.begin(), ids.end());
    return HttpAnswer{};
  }
  [[nodiscard]] codec::Compression compression() const override {
    return codec::Compression::kIdentity;
  }
  [[nodiscard]] const std::string& destination() const override { return name_; }
  std::set<std::string> taken() {
    const std::scoped_lock guard(mutex_);
    return taken_;
  }

 private:
  const std::string bad_;
  const std::string name_ = "picky";
  std::mutex mutex_;
  std::set<std::string> taken_;
};

TEST_F(RelayTest, LosesNothingButTheOneBadSpanOfABatch) {
  auto picky = std::make_shared<PickyExporter>(IdOf(37, 8));
  Use(picky);
  Accept(Spans(1, 100));
  ASSERT_TRUE(Until([&] { return Sent() + Dropped(DropReason::kRejected) == 100; }));
  EXPECT_EQ(Dropped(DropReason::kRejected), 1U);
  EXPECT_EQ(picky->taken().size(), 99U);
  EXPECT_EQ(relay_.Report().queue_bytes, 0U);
}

TEST_F(RelayTest, RefusesWithAHintWhenThereIsNoRoom) {
  backend_->Hang();
  Use(backend_);
  const std::string request = test_support::MetricsRequest({500});
  std::optional<Refusal> refusal;
  for (int i = 0; i < 100 && !refusal; ++i) {
    refusal = RefusalOf(relay_.Accept(Signal::kMetrics, Ingress::kGrpc, request));
  }
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefuseReason::kQueueFull);
  EXPECT_TRUE(refusal->retry_after);
  EXPECT_LE(relay_.Report().queue_bytes, relay_.Report().queue_budget);
}

TEST_F(RelayTest, DeliversWhatIsLeftWhenItDrains) {
  Use(backend_);
  Accept(Spans(1, 7));
  relay_.Drain(seconds(10));
  EXPECT_EQ(Sent(), 7U) << "without waiting for the batch to be due";
  const auto refusal = Accept(Spans(8, 1));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, RefuseReason::kDraining);
}

TEST_F(RelayTest, CountsWhatItCouldNotDeliverBeforeTheEnd) {
  backend_->Hang();
  Use(backend_);
  Accept(Spans(1, 7));
  ASSERT_TRUE(Until([&] { return backend_->attempts().size() == 1; }));
  Accept(Spans(8, 2));
  std::jthread drain([&] { relay_.Drain(seconds(10)); });
  ASSERT_TRUE(Until([&] { return Dropped(DropReason::kShutdown) == 9; }, seconds(1)));
  drain.join();
  EXPECT_EQ(Received(), Sent() + 9);
  EXPECT_EQ(relay_.Report().queue_bytes, 0U);
}

TEST_F(RelayTest, TriesQuicklyWhileItDrains) {
  backend_->Script(HttpAnswer{.status = 503, .retry_after = "600"});
  Use(backend_);
  Accept(Spans(1, 1));
  ASSERT_TRUE(Until([&] { return backend_->attempts().size() == 1; }));
  std::jthread drain([&] { relay_.Drain(seconds(60)); });
  ASSERT_TRUE(Until([&] { return Sent() == 1; }, seconds(1)));
}

TEST_F(RelayTest, LosesNothingWhileItsSettingsChangeUnderLoad) {
  std::atomic<bool> done = false;
  std::jthread swapper([&] {
    for (int i = 0; !done; ++i) {
      Use(std::make_shared<FakeExporter>("swap" + std::to_string(i)), "1");
      clock_.Advance(kAge);
    }
  });
  Use(backend_);
  for (std::uint64_t i = 0; i < 500; ++i) {
    while (Accept(Spans(i * 10, 10))) clock_.Advance(kAge);
  }
  EXPECT_TRUE(Until([&] { return Sent() + Dropped(DropReason::kQueueFull) == 5000; }));
  done = true;
  swapper.join();
  EXPECT_EQ(Received(), 5000U);
}

}  // namespace
}  // namespace tracekeeper::otlp
