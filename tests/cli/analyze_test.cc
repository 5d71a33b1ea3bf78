#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cli/console.h"
#include "src/codec/json_value.h"
#include "tests/cli/command_run.h"
#include "tests/cli/golden.h"
#include "tests/support/folders.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string Example(const std::string& name) {
  return (test_support::SourceFolder() / "docs/examples/analyze" / name).string();
}

/// Paths in an output begin where the repository does.
std::string WithoutFolder(std::string text) {
  const std::string folder = test_support::SourceFolder().string() + "/";
  for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
    text.erase(at, folder.size());
  }
  return text;
}

struct GoldenCase {
  const char* name;
  std::vector<std::string> arguments;
};

class AnalyzeGolden : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(AnalyzeGolden, ReadsWell) {
  std::vector<std::string> arguments = {"analyze"};
  arguments.insert(arguments.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  const CommandRun run = RunCommand(arguments);
  EXPECT_EQ(run.code, kDone) << run.err;
  EXPECT_THAT(run.err, IsEmpty());
  ExpectGolden(std::string("analyze_") + GetParam().name + ".txt", WithoutFolder(run.out));
}

INSTANTIATE_TEST_SUITE_P(
    All, AnalyzeGolden,
    ::testing::Values(
        GoldenCase{"dropped_header", {Example("dropped-header.otlp.jsonl")}},
        GoldenCase{"lost_goroutine", {Example("lost-goroutine.jaeger.json"), "--traces", "broken"}},
        GoldenCase{"cut_trace_ids", {Example("cut-trace-ids.zipkin.json")}},
        GoldenCase{"markdown", {Example("dropped-header.otlp.jsonl"), "-o", "markdown"}},
        GoldenCase{"json", {Example("lost-goroutine.jaeger.json"), "-o", "json"}}),
    [](const auto& test) { return test.param.name; });

TEST(Analyze, ShowsWhatItLearned) {
  const std::string example = Example("dropped-header.otlp.jsonl");
  const CommandRun run = RunCommand({"analyze", example, "--show-profile", "-"});
  EXPECT_EQ(run.code, kDone);
  ExpectGolden("analyze_profile.txt", run.err);
  EXPECT_EQ(run.out, RunCommand({"analyze", example}).out);

  const test_support::TemporaryFolder folder("profile");
  const std::string file = folder / "profile.json";
  EXPECT_EQ(RunCommand({"analyze", example, "--show-profile", file, "--shuffle", "7"}).code, kDone);
  std::ifstream in(file);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), run.err)
      << "whatever the order of arrival";
  const CommandRun unwritable = RunCommand({"analyze", example, "--show-profile", "/nowhere/file"});
  EXPECT_EQ(unwritable.code, kUnusable);
  EXPECT_THAT(unwritable.err, HasSubstr("--show-profile /nowhere/file: cannot be written"));
}

/// The JSON without what other orders may change.
std::string Verdicts(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {
      "analyze", Example("lost-goroutine.jaeger.json"), "-o", "json", "--traces", "all"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const CommandRun run = RunCommand(arguments);
  EXPECT_EQ(run.code, kDone) << run.err;
  codec::JsonParser parser;
  const auto root = parser.Parse(run.out);
  EXPECT_TRUE(root);
  return (*root)["sli"].ToJson() + (*root)["edges"].ToJson() + (*root)["causes"].ToJson() +
         (*root)["traces"].ToJson();
}

TEST(Analyze, ComesToTheSameVerdictsInEveryOrderOfArrival) {
  const std::string expected = Verdicts({});
  EXPECT_EQ(Verdicts({"--shuffle", "1"}), expected);
  EXPECT_EQ(Verdicts({"--shuffle", "2", "--redeliver", "2"}), expected);
  EXPECT_EQ(Verdicts({"--batch", "5s"}), expected);
}

TEST(Analyze, LetsNoNameOfATraceSteerTheTerminal) {
  const std::string orphan =
      R"([{"traceId":"000000000000000a","id":"000000000000000b","parentId":"000000000000000c",)"
      R"("name":"a\u001b[2Jb\nc","timestamp":1,"duration":2,"kind":"SERVER",)"
      R"("localEndpoint":{"serviceName":"\u001b]0;x\u0007"}}])";
  const CommandRun run = RunCommand({"analyze", "-", "--traces", "all"}, orphan);
  EXPECT_EQ(run.code, kDone) << run.err;
  EXPECT_THAT(run.out, HasSubstr("a?[2Jb?c"));
  for (const char letter : run.out) EXPECT_TRUE(letter == '\n' || letter >= ' ' || letter < 0);
}

TEST(Analyze, ReadsStandardInputAndCompressedFiles) {
  std::ifstream file(Example("cut-trace-ids.zipkin.json"), std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const CommandRun run = RunCommand({"analyze", "-"}, text);
  EXPECT_EQ(run.code, kDone) << run.err;
  EXPECT_THAT(run.out, HasSubstr("truncated_id"));
}

TEST(Analyze, EndsWithOneWhereItFindsWhatItWasAskedToFailOn) {
  const std::string broken = Example("dropped-header.otlp.jsonl");
  EXPECT_EQ(RunCommand({"analyze", broken, "--fail-on", "bad"}).code, kFailed);
  EXPECT_EQ(RunCommand({"analyze", broken, "--fail-on", "unknown"}).code, kFailed);
  const std::string clean =
      R"([{"traceId":"000000000000000a","id":"000000000000000b","name":"get","timestamp":1,)"
      R"("duration":2,"kind":"SERVER","localEndpoint":{"serviceName":"web"}}])";
  EXPECT_EQ(RunCommand({"analyze", "-", "--fail-on", "bad"}, clean).code, kDone);
}

TEST(Analyze, SaysWhatIsWrongWithAFileThatItCannotUse) {
  const CommandRun absent = RunCommand({"analyze", "/nowhere/traces.json"});
  EXPECT_EQ(absent.code, kUnusable);
  EXPECT_THAT(absent.err, HasSubstr("/nowhere/traces.json: cannot be opened: No such file"));
  const CommandRun folder = RunCommand({"analyze", Example("")});
  EXPECT_EQ(folder.code, kUnusable);
  EXPECT_THAT(folder.err, HasSubstr("is a folder: name the files in it"));
  const CommandRun empty = RunCommand({"analyze", "-"}, " \n");
  EXPECT_EQ(empty.code, kUnusable);
  EXPECT_THAT(empty.err, HasSubstr("standard input: is empty"));
  const CommandRun other = RunCommand({"analyze", "-"}, R"({"kind":"Pod"})");
  EXPECT_EQ(other.code, kUnusable);
  EXPECT_THAT(other.err, HasSubstr("nothing in it is telemetry in a known format"));
  EXPECT_THAT(other.out, IsEmpty());
}

TEST(Analyze, TakesEntryPointsAndExclusionsFromAPolicy) {
  const std::string orphan =
      R"([{"traceId":"000000000000000a","id":"000000000000000b","parentId":"000000000000000c",)"
      R"("name":"get","timestamp":1,"duration":2,"kind":"SERVER",)"
      R"("localEndpoint":{"serviceName":"gateway"}}])";
  EXPECT_THAT(RunCommand({"analyze", "-"}, orphan).out, HasSubstr("orphan_remote_parent"));
  const test_support::TemporaryFolder folder("analyze");
  const std::string policy = (folder.path() / "policy.yaml").string();
  std::ofstream(policy) << "apiVersion: tracekeeper.dev/v1alpha1\nkind: TracingPolicy\n"
                           "metadata: {name: shop}\n"
                           "spec: {selector: {}, slo: {entrypoints: [\"gate*\"]}}\n";
  const CommandRun run = RunCommand({"analyze", "-", "--policy", policy}, orphan);
  EXPECT_THAT(run.out, HasSubstr("foreign_parent"));
  EXPECT_THAT(run.out, HasSubstr("Nothing is broken."));
}

TEST(Analyze, JoinsLogRecordsToSpans) {
  const test_support::TemporaryFolder folder("analyze");
  const std::string logs = (folder.path() / "logs.json").string();
  std::ofstream(logs)
      << R"({"resourceLogs":[{"resource":{"attributes":[]},"scopeLogs":[{"logRecords":[)"
      << R"({"timeUnixNano":"1000","traceId":"0000000000000000000000000000000a"},)"
      << R"({"timeUnixNano":"1000","traceId":"00000000000000000000000000000000"},)"
      << R"({"timeUnixNano":"1000"}]}]}]})";
  const std::string span =
      R"([{"traceId":"000000000000000a","id":"000000000000000b","name":"get","timestamp":1,)"
      R"("duration":2,"localEndpoint":{"serviceName":"web"}}])";
  const CommandRun run = RunCommand({"analyze", "-", "--logs", logs}, span);
  EXPECT_EQ(run.code, kDone) << run.err;
  EXPECT_THAT(run.out, HasSubstr("1 of 2 records name a span that is there, 1 unknown"));
  EXPECT_THAT(run.out, HasSubstr("log_zero_id"));
}

}  // namespace
}  // namespace tracekeeper::cli
