#include "src/otlp/telemetry_import.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/otlp/telemetry_scanner.h"
#include "tests/support/otlp_requests.h"

namespace tracekeeper::otlp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// What came out, a line each.
class Lines final : public TelemetrySink {
 public:
  std::vector<std::string> lines;

  Status OnTraces(std::string_view request) override {
    Visitor visitor{lines, {}};
    TelemetryScanner scanner;
    return scanner.ScanTraces(request, visitor);
  }
  Status OnLogs(std::string_view request) override {
    Visitor visitor{lines, {}};
    TelemetryScanner scanner;
    return scanner.ScanLogs(request, visitor);
  }

 private:
  struct Visitor {
    std::vector<std::string>& lines;
    std::string service;
    void OnResource(const ResourceFields& resource) { service = resource.service; }
    void OnScope(std::string_view) {}
    void OnSpan(const SpanFields& span) {
      lines.push_back(
          fmt::format("{}: {} ({} byte ids)", service, span.name, span.trace_id.size()));
    }
    void OnLog(const LogFields& log) {
      lines.push_back(fmt::format("{}: log at {}", service, log.time_nanoseconds));
    }
  };
};

struct Imported {
  Result<ImportedTelemetry> result;
  std::vector<std::string> lines;
};

Imported Import(std::string_view text, const ImportOptions& options = {}) {
  Lines lines;
  auto result = ImportTelemetry(text, options, lines);
  return {std::move(result), std::move(lines.lines)};
}

std::string SpanJson(std::string_view name,
                     std::string_view trace_id = "0102030405060708090a0b0c0d0e0f10") {
  return fmt::format(R"({{"traceId":"{}","spanId":"0102030405060708","name":"{}"}})", trace_id,
                     name);
}

std::string ResourceSpans(std::string_view spans) {
  return fmt::format(
      R"({{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"web"}}}}]}},)"
      R"("scopeSpans":[{{"scope":{{"name":"s"}},"spans":[{}]}}]}})",
      spans);
}

std::string Document(std::string_view spans) {
  return fmt::format(R"({{"resourceSpans":[{}]}})", ResourceSpans(spans));
}

constexpr std::string_view kJaeger =
    R"({"traceID":"0a","spans":[{"traceID":"0a","spanID":"0b","operationName":"get","startTime":1,)"
    R"("duration":2,"process":{"serviceName":"web"}}]})";
constexpr std::string_view kZipkin =
    R"({"traceId":"000000000000000a","id":"000000000000000b","name":"get","timestamp":1,)"
    R"("duration":2,"localEndpoint":{"serviceName":"web"}})";

struct FormatCase {
  const char* name;
  std::string text;
  TelemetryFormat format;
  std::string line;
};

class Formats : public ::testing::TestWithParam<FormatCase> {};

TEST_P(Formats, AreRecognised) {
  const Imported imported = Import(GetParam().text);
  ASSERT_TRUE(imported.result) << imported.result.error().message;
  EXPECT_EQ(NameOf(imported.result->format), NameOf(GetParam().format));
  EXPECT_THAT(imported.result->rejected, IsEmpty());
  EXPECT_THAT(imported.lines, ElementsAre(GetParam().line));
}

INSTANTIATE_TEST_SUITE_P(
    All, Formats,
    ::testing::Values(
        FormatCase{"OtlpJson", Document(SpanJson("a")), TelemetryFormat::kOtlpJson,
                   "web: a (16 byte ids)"},
        FormatCase{"OtlpJsonOfLibraries",
                   R"({"resourceSpans":[{"instrumentationLibrarySpans":[{"spans":[)" +
                       SpanJson("a") + "]}]}]}",
                   TelemetryFormat::kOtlpJson, ": a (16 byte ids)"},
        FormatCase{"OtlpLogs",
                   R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"7"}]}]}]})",
                   TelemetryFormat::kOtlpJson, ": log at 7"},
        FormatCase{"Jaeger", fmt::format(R"({{"data":[{}]}})", kJaeger), TelemetryFormat::kJaeger,
                   "web: get (16 byte ids)"},
        FormatCase{"JaegerTrace", std::string(kJaeger), TelemetryFormat::kJaeger,
                   "web: get (16 byte ids)"},
        FormatCase{"ZipkinSpans", fmt::format("[{}]", kZipkin), TelemetryFormat::kZipkin,
                   "web: get (16 byte ids)"},
        FormatCase{"ZipkinTraces", fmt::format("[[{}]]", kZipkin), TelemetryFormat::kZipkin,
                   "web: get (16 byte ids)"},
        FormatCase{"ZipkinLines", std::string(kZipkin), TelemetryFormat::kZipkin,
                   "web: get (16 byte ids)"},
        FormatCase{"Tempo",
                   fmt::format(R"({{"batches":[{}]}})",
                               ResourceSpans(SpanJson("a", "AQIDBAUGBwgJCgsMDQ4PEA=="))),
                   TelemetryFormat::kTempo, "web: a (16 byte ids)"},
        FormatCase{"TempoTwo", fmt::format(R"({{"trace":{}}})", Document(SpanJson("a"))),
                   TelemetryFormat::kTempo, "web: a (16 byte ids)"}),
    [](const auto& test) { return test.param.name; });

TEST(TelemetryImport, ReadsProtobufOneRequestOrManyWithTheirLength) {
  const std::string request = test_support::TracesRequest("web", {test_support::TestSpan{}});
  const std::string with_length =
      std::string("\0\0\0", 3) + static_cast<char>(request.size()) + request;
  EXPECT_THAT(Import(request).lines, ElementsAre("web: GET / (16 byte ids)"));
  const Imported many = Import(with_length + with_length);
  EXPECT_THAT(many.lines, SizeIs(2));
  EXPECT_EQ(many.result->format, TelemetryFormat::kOtlpProtobuf);
  EXPECT_THAT(many.result->rejected, IsEmpty());
}

TEST(TelemetryImport, KeepsWhatCameBeforeAFileWasCutOff) {
  const std::string document = Document(SpanJson("a"));
  const std::string cut = document + "\n" + document.substr(0, document.size() - 9);
  const Imported imported = Import(cut);
  ASSERT_TRUE(imported.result);
  EXPECT_THAT(imported.lines, SizeIs(1));
  ASSERT_THAT(imported.result->rejected, SizeIs(1));
  EXPECT_EQ(imported.result->rejected.front().offset, document.size());
  EXPECT_THAT(imported.result->rejected.front().reason, HasSubstr("does not end"));
}

TEST(TelemetryImport, RejectsOneDamagedSpanAndReadsTheOthersOfItsBatch) {
  const std::string damaged = R"({"traceId":"0102","name":7})";
  const std::string text = Document(SpanJson("a") + "," + damaged + "," + SpanJson("b"));
  const Imported imported = Import(text);
  ASSERT_TRUE(imported.result);
  EXPECT_THAT(imported.lines, ElementsAre("web: a (16 byte ids)", "web: b (16 byte ids)"));
  ASSERT_THAT(imported.result->rejected, SizeIs(1));
  EXPECT_EQ(imported.result->rejected.front().offset, text.find(damaged));
  EXPECT_THAT(imported.result->rejected.front().reason, HasSubstr("name"));
}

TEST(TelemetryImport, KeepsIdsOfAWrongLengthBecauseTheyAreAFinding) {
  const Imported imported =
      Import(Document(SpanJson("short", "0102") + "," + SpanJson("no_hex", "xyz")));
  ASSERT_TRUE(imported.result);
  EXPECT_THAT(imported.lines, ElementsAre("web: short (2 byte ids)", "web: no_hex (1 byte ids)"));
}

struct UnusableCase {
  const char* name;
  std::string text;
  std::string reason;
};

class Unusable : public ::testing::TestWithParam<UnusableCase> {};

TEST_P(Unusable, IsAnErrorThatSaysWhy) {
  const Imported imported = Import(GetParam().text);
  ASSERT_FALSE(imported.result);
  EXPECT_THAT(imported.result.error().message, HasSubstr(GetParam().reason));
  EXPECT_THAT(imported.lines, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, Unusable,
    ::testing::Values(UnusableCase{"Text", "hello", "neither JSON nor OTLP in protobuf: damaged"},
                      UnusableCase{"OtherJson", R"({"kind":"Pod"})", "holds none of resourceSpans"},
                      UnusableCase{"Numbers", "[1,2]", "is no object"},
                      UnusableCase{"CutOff", R"({"resourceSpans":[)", "does not end"}),
    [](const auto& test) { return test.param.name; });

TEST(TelemetryImport, SaysHowFarItGot) {
  const std::string document = Document(SpanJson("a")) + "\n";
  std::vector<std::size_t> reached;
  ImportOptions options;
  options.on_progress = [&](std::size_t bytes) { reached.push_back(bytes); };
  EXPECT_TRUE(Import(document + document, options).result);
  EXPECT_TRUE(std::ranges::is_sorted(reached));
  EXPECT_EQ(reached.back(), 2 * document.size() - 1);
}

}  // namespace
}  // namespace tracekeeper::otlp
