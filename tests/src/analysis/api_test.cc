// The pages answer what their document says, all of it and nothing else, and say in a sentence what
// they do not take.

#include "src/analysis/api.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "src/analysis/gate.h"
#include "tests/src/analysis/json_shape.h"

namespace tracekeeper::analysis {
namespace {

using continuity::Cause;
using continuity::Family;
using continuity::Verdict;
using test_support::JsonTree;
using testing::HasSubstr;

constexpr const char* kTrace = "00000000000000010000000000000002";

Snapshot Broken() {
  Snapshot snapshot;
  snapshot.taken = Instant(std::chrono::seconds(1'700'000'100));
  snapshot.is_learned = true;
  snapshot.start = 1'700'000'000'000'000'000;
  snapshot.shards = {{.pending_spans = 1, .table_bytes = 2, .budget_bytes = 3}};
  const auto count = [&snapshot](const std::string& server, Verdict verdict, std::int64_t units) {
    const SeriesKey key{.policy = {"shop", "checkout"}, .service = "web", .server = server};
    snapshot.series.units[key].net[CodeOf(verdict)] = units;
  };
  count("cart", Verdict::Good(), 97);
  count("cart", Verdict::Bad(Cause::kBrokenHop), 3);
  count("mail", Verdict::Good(), 10);
  snapshot.breaks.push_back({.cause = Cause::kBrokenHop,
                             .policy = {"shop", "checkout"},
                             .service = "web",
                             .peer = "cart",
                             .scope = "http",
                             .span_name = "GET",
                             .count = 3,
                             .examples = {{{1, 2}, 3, 1'700'000'050'123'456}}});
  snapshot.findings.push_back({.cause = Cause::kUnfinished, .service = "web", .count = 2});
  return snapshot;
}

class ApiTest : public testing::Test {
 protected:
  net::Response Get(const std::string& target) {
    return api_.Handle({.method = "GET", .target = target, .headers = {}, .body = {}});
  }
  JsonTree Json(const std::string& target) {
    const net::Response response = Get(target);
    EXPECT_EQ(response.headers.Get("Content-Type"), "application/json");
    auto tree = JsonTree::Parse(response.body);
    EXPECT_TRUE(tree) << target << ": " << response.body;
    return tree ? *std::move(tree) : JsonTree();
  }

  std::shared_ptr<Snapshot> snapshot_ = std::make_shared<Snapshot>(Broken());
  std::map<std::uint64_t, continuity::KnownTrace> known_;  // by the lower half of their ids
  Api api_{[this] { return snapshot_; },
           [this](const otlp::TraceId& trace) -> std::optional<continuity::KnownTrace> {
             const auto found = known_.find(trace.low);
             return found == known_.end() ? std::nullopt : std::optional(found->second);
           }};
};

TEST_F(ApiTest, AnswersWhatItsDocumentDescribesAndNothingElse) {
  const JsonTree document = Json("/api/v1/openapi.json");
  const std::map<std::string, std::vector<std::string>> kAsked = {
      {"/api/v1/edges",
       {"/api/v1/edges", "/api/v1/edges?policy=shop/checkout&service=web&cause=B5&limit=1",
        "/api/v1/edges?limit=0"}},
      {"/api/v1/breaks",
       {"/api/v1/breaks", "/api/v1/breaks?policy=a/b", "/api/v1/breaks?cause=what"}},
      {"/api/v1/traces/{trace_id}",
       {fmt::format("/api/v1/traces/{}", kTrace), "/api/v1/traces/0af7651916cd43dd8448eb211c80319c",
        "/api/v1/traces/x"}},
      {"/api/v1/gate",
       {"/api/v1/gate", "/api/v1/gate?policy=shop/checkout&indicator=request&min_ratio=0.5",
        "/api/v1/gate?min_ratio=2", "/api/v1/gate?since=x"}},
      {"/api/v1/health", {"/api/v1/health", "/api/v1/health?x=1"}},
      {"/api/v1/openapi.json", {"/api/v1/openapi.json"}},
  };
  std::set<std::string> described;
  for (const auto& [path, item] : document.Find("paths")->members()) {
    described.insert(path);
    ASSERT_TRUE(kAsked.contains(path)) << "a page that is not there: " << path;
    for (const std::string& target : kAsked.at(path)) {
      const net::Response response = Get(target);
      const std::string status = std::to_string(response.status);
      const JsonTree* answer = item.Find("get")->Find("responses")->Find(status);
      ASSERT_NE(answer, nullptr) << target << " answers " << status << ": " << response.body;
      const JsonTree* schema = answer->Find("content")->Find("application/json")->Find("schema");
      EXPECT_EQ(DifferenceFrom(*schema, Json(target), document, target), "");
    }
  }
  EXPECT_EQ(described.size(), kAsked.size());
}

TEST_F(ApiTest, TellsOfTheBrokenHopItsCauseAndAnExample) {
  const JsonTree edges = Json("/api/v1/edges");
  const JsonTree& worst = edges.Find("edges")->elements().front();
  EXPECT_EQ(worst.TextAt({"server"}), "cart");
  EXPECT_EQ(worst.TextAt({"ratio"}), "0.97");
  EXPECT_EQ(worst.TextAt({"causes", "broken_hop"}), "3");
  const JsonTree breaks = Json("/api/v1/breaks?service=cart");
  const JsonTree& found = breaks.Find("breaks")->elements().front();
  EXPECT_EQ(found.TextAt({"class"}), "B5");
  EXPECT_EQ(found.TextAt({"total"}), "3");
  EXPECT_FALSE(found.TextAt({"advice"}).empty());
  const JsonTree& place = found.Find("places")->elements().front();
  const JsonTree& example = place.Find("examples")->elements().front();
  EXPECT_EQ(example.TextAt({"trace_id"}), kTrace);
  EXPECT_EQ(example.TextAt({"time"}), "2023-11-14T22:14:10.123Z");
  const JsonTree trace = Json(fmt::format("/api/v1/traces/{}", kTrace));
  EXPECT_EQ(trace.Find("findings")->elements().front().TextAt({"cause"}), "broken_hop");
}

TEST_F(ApiTest, FiltersAndCutsWhatIsAskedFor) {
  EXPECT_EQ(Json("/api/v1/edges?service=mail").Find("edges")->elements().size(), 1U);
  EXPECT_EQ(Json("/api/v1/edges?cause=broken_hop").Find("edges")->elements().size(), 1U);
  EXPECT_EQ(Json("/api/v1/edges?policy=other/checkout").Find("edges")->elements().size(), 0U);
  EXPECT_EQ(Json("/api/v1/edges?limit=1").TextAt({"truncated"}), "true");
  EXPECT_EQ(Json("/api/v1/breaks?policy=other/x").Find("breaks")->elements().size(), 0U);
}

TEST_F(ApiTest, TellsWhatBecameOfATraceThatIsRemembered) {
  using State = continuity::KnownTrace::State;
  constexpr std::pair<State, const char*> kStates[] = {{State::kWaiting, "waiting"},
                                                       {State::kAsking, "asking"},
                                                       {State::kCounted, "counted"},
                                                       {State::kShed, "shed"},
                                                       {State::kForgotten, "forgotten"}};
  const JsonTree document = Json("/api/v1/openapi.json");
  const JsonTree& schema = *document.Find("components")->Find("schemas")->Find("Trace");
  const std::string target = "/api/v1/traces/00000000000000010000000000000009";
  for (const auto& [state, name] : kStates) {
    known_[9] = {.state = state, .spans = 3, .report = {}};
    EXPECT_EQ(Json(target).TextAt({"state"}), name);
    EXPECT_EQ(DifferenceFrom(schema, Json(target), document, name), "");
  }
  known_[9] = {.state = State::kCounted,
               .spans = 3,
               .report = continuity::TraceReport{
                   .trace_id = "9",
                   .verdict = Verdict::Bad(Cause::kBrokenHop),
                   .pieces = 2,
                   .findings = {{Cause::kBrokenHop, "0000000000000003", "web", "cart", "CLIENT"}}}};
  const JsonTree trace = Json(target);
  EXPECT_EQ(DifferenceFrom(schema, trace, document, target), "");
  EXPECT_EQ(trace.TextAt({"verdict"}), "bad");
  EXPECT_EQ(trace.TextAt({"cause"}), "broken_hop");
  EXPECT_EQ(trace.TextAt({"pieces"}), "2");
  EXPECT_EQ(trace.Find("findings")->elements().front().TextAt({"peer"}), "cart");
  known_[9].report->verdict = Verdict::Excluded(continuity::Reason::kContinued);
  EXPECT_EQ(Json(target).TextAt({"reason"}), "continued");
}

struct RefusedCase {
  const char* target;
  int status;
  const char* sentence;
};
constexpr RefusedCase kRefused[] = {
    {"/api/v1/nothing", 404, "there are edges"},
    {"/api/v1/edges?polcy=shop/checkout", 400, "this page takes policy, service, cause, limit"},
    {"/api/v1/edges?policy=checkout", 400, "NAMESPACE/NAME"},
    {"/api/v1/edges?limit=1001", 400, "from 1 to 1000"},
    {"/api/v1/breaks?cause=B99", 400, "explain cause"},
    {"/api/v1/traces/zz", 400, "32 hexadecimal digits"},
    {"/api/v1/traces/0af7651916cd43dd8448eb211c80319c", 404, "nothing is known"},
    {"/api/v1/gate?indicator=all", 400, "in_process"},
    {"/api/v1/gate?min_ratio=nan", 400, "from 0 to 1"},
    {"/api/v1/gate?since=1.2", 400, "token"},
};

TEST_F(ApiTest, SaysInASentenceWhatItDoesNotTake) {
  for (const RefusedCase& refused : kRefused) {
    const net::Response response = Get(refused.target);
    EXPECT_EQ(response.status, refused.status) << refused.target;
    EXPECT_THAT(response.body, HasSubstr(refused.sentence)) << refused.target;
  }
  EXPECT_EQ(Get("/api/v1/edges?service=" + std::string(Api::kMaxTargetBytes, 'x')).status, 414);
  const net::Response posted =
      api_.Handle({.method = "POST", .target = "/api/v1/edges", .headers = {}, .body = {}});
  EXPECT_EQ(posted.status, 405);
  EXPECT_EQ(posted.headers.Get("Allow"), "GET");
}

TEST_F(ApiTest, IsNotHealthyWhileItDrains) {
  EXPECT_EQ(Get("/api/v1/health").status, 200);
  snapshot_->is_draining = true;
  EXPECT_EQ(Get("/api/v1/health").status, 503);
}

TEST(Gate, PassesFailsOrSaysThatItCannotTell) {
  const Snapshot snapshot = Broken();
  const GateQuestion question{.policy = PolicyLabels{"shop", "checkout"}, .min_ratio = 0.97};
  EXPECT_EQ(AnswerGate(snapshot, question)->result, GateResult::kPass);
  GateQuestion strict = question;
  strict.min_ratio = 0.999;
  EXPECT_EQ(AnswerGate(snapshot, strict)->result, GateResult::kFail);
  EXPECT_THAT(AnswerGate(snapshot, strict)->reason, HasSubstr("107 of 110"));
  GateQuestion large = question;
  large.min_judged = 1000;
  EXPECT_EQ(AnswerGate(snapshot, large)->result, GateResult::kInconclusive);
  Snapshot young = snapshot;
  young.is_learned = false;
  EXPECT_EQ(AnswerGate(young, strict)->result, GateResult::kInconclusive);
  GateQuestion requests = question;
  requests.indicator = Family::kRequest;
  EXPECT_EQ(AnswerGate(snapshot, requests)->ratio, std::nullopt);
}

TEST(Gate, AsksWithATokenAboutWhatCameSince) {
  Snapshot snapshot = Broken();
  GateQuestion question{.min_judged = 5};
  question.since = AnswerGate(snapshot, question)->token;
  EXPECT_EQ(AnswerGate(snapshot, question)->result, GateResult::kInconclusive);
  for (auto& [key, counts] : snapshot.series.units) counts.net[CodeOf(Verdict::Good())] += 4;
  const auto later = AnswerGate(snapshot, question);
  EXPECT_EQ(later->result, GateResult::kPass);
  EXPECT_EQ(later->Of(continuity::Outcome::kGood), 8U);
  EXPECT_EQ(later->Of(continuity::Outcome::kBad), 0U);
  snapshot.start += 1;
  EXPECT_THAT(AnswerGate(snapshot, question)->reason, HasSubstr("started anew"));
  for (const char* token : {"", "zz", "1.2.3.4", "1.2.3.4.5.6", "1.2.3.4.5x", "-1.2.3.4.5"}) {
    question.since = token;
    EXPECT_EQ(AnswerGate(snapshot, question).has_value(), question.since.empty()) << token;
  }
}

}  // namespace
}  // namespace tracekeeper::analysis
