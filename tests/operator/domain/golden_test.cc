// Whole pods, before and after, as files: what a reviewer reads to see what injection does. After a
// change on purpose, TRACEKEEPER_UPDATE_GOLDEN=1 writes them anew; git shows the difference.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "operator/domain/undo.h"
#include "src/codec/json_writer.h"
#include "tests/operator/domain/test_policies.h"
#include "tests/support/folders.h"

namespace tracekeeper::domain {
namespace {

const std::filesystem::path kFolder = test_support::SourceFolder() / "tests/operator/domain/golden";

struct GoldenCase {
  std::string_view name;
  std::string_view pod;  // file of the pod
  std::string_view spec;
  bool native_nodes = true;
};

constexpr GoldenCase kGoldens[] = {
    {"deployment", "deployment.json", R"({"sampling":{"head":{"ratio":"0.25"}}})"},
    {"deployment_on_old_nodes", "deployment.json", "{}", false},
    {"deployment_with_java", "deployment.json",
     R"({"injection":{"instrumentation":{"java":{"image":"agents.example.com/java:2.9"}}},
         "export":{"endpoint":"https://collector.observability:4317",
                   "auth":{"secretRef":{"name":"otlp","key":"token"}}}})"},
    {"deployment_with_credential", "deployment.json",
     R"({"credentials":[{"name":"backend","vault":{"connectionRef":{"name":"vault"},"path":"otlp"},
                         "secret":{"name":"otlp-token"}}],
         "export":{"endpoint":"https://collector.observability:4317",
                   "auth":{"credential":"backend","key":"api-key"}}})"},
    {"cronjob", "cronjob.json", R"({"injection":{"podSecurityDefaults":"Restricted"}})"},
    {"bare", "bare.json", "{}"},
};

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

void WritePretty(const codec::JsonValue& value, std::string& out, std::size_t depth) {
  const std::string indent((depth + 1) * 2, ' ');
  const auto close = [&](char bracket) {
    out.append("\n").append(depth * 2, ' ').push_back(bracket);
  };
  bool first = true;
  const auto separate = [&] {
    out.append(first ? "\n" : ",\n").append(indent);
    first = false;
  };
  if (value.is_array() && value.size() > 0) {
    out.push_back('[');
    for (const codec::JsonValue element : value.Elements()) {
      separate();
      WritePretty(element, out, depth + 1);
    }
    close(']');
  } else if (value.is_object() && value.size() > 0) {
    out.push_back('{');
    for (const auto& [key, member] : value.Members()) {
      separate();
      codec::AppendJsonString(out, key);
      out.append(": ");
      WritePretty(member, out, depth + 1);
    }
    close('}');
  } else {
    out.append(value.ToJson());
  }
}

std::string Pretty(std::string_view json) {
  std::string text;
  WritePretty(Json(json).root(), text, 0);
  return text.append("\n");
}

class Golden : public testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, PodIsInjectedAsItsFileSays) {
  const GoldenCase& c = GetParam();
  const std::string before = Read(kFolder / c.pod);
  const MutateContext context{.namespace_name = "shop",
                              .nodes = {.native_sidecars = c.native_nodes}};
  const PolicyPointer policy = PolicyWith(c.spec);
  const std::string after = Injected(before, *policy, context);
  const std::filesystem::path file = kFolder / fmt::format("{}.injected.json", c.name);
  if (std::getenv("TRACEKEEPER_UPDATE_GOLDEN") != nullptr) std::ofstream(file) << Pretty(after);
  EXPECT_EQ(Pretty(after), Read(file))
      << "if this is on purpose: TRACEKEEPER_UPDATE_GOLDEN=1, and read the difference";

  EXPECT_EQ(MutateText(after, *policy, context).patch, "") << "a second pass adds nothing";
  const kube::Document injected = Json(after);
  EXPECT_EQ(Canonical(*Undo(injected.root())), Canonical(before));
}

INSTANTIATE_TEST_SUITE_P(Files, Golden, testing::ValuesIn(kGoldens),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tracekeeper::domain
