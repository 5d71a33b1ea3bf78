// The table of exchanges against a real API server, over both transports. One test, because each
// test is a process of its own and a server takes seconds to start.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "src/kube/connect.h"
#include "src/net/transports.h"
#include "tests/src/kube/exchange_table.h"
#include "tests/support/bed.h"

namespace tracekeeper::kube {
namespace {

using test_support::Bed;

std::string NamespaceFor(const Exchange& exchange, std::string_view suffix) {
  std::string name(exchange.name);
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return std::tolower(c); });
  return fmt::format("{}-{}", name, suffix);
}

void RunTable(Bed& bed, UnaryAdapter adapter, std::string_view suffix) {
  SystemClock clock;
  Log log(LogLevel::kWarn);
  const auto config = LoadConfig({.kubeconfig_flag = bed.admin_kubeconfig()});
  ASSERT_TRUE(config) << config.error().message;
  const auto connection = Connection::Make(*config, {}, adapter, clock, NoMetrics(), Logger(log));
  ASSERT_TRUE(connection) << connection.error().message;
  Client& client = (*connection)->client();
  for (const Exchange& exchange : Exchanges()) {
    const std::string space = NamespaceFor(exchange, suffix);
    const auto made = client.Create(
        kNamespaces, "", fmt::format(R"({{"metadata":{{"name":"{}"}}}})", space), {}, {});
    ASSERT_TRUE(made) << made.error().message;
    RunExchange(exchange, client, space, [&] {
      // etcd keeps the version that it is compacted at: something newer must be there.
      ASSERT_TRUE(
          client.Apply(kConfigMaps, {space, "zz-newer"},
                       R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"zz-newer"}})",
                       {.field_manager = "tester"}, {}));
      ASSERT_TRUE(client.Delete(kConfigMaps, {space, "zz-newer"}, {}, {}));
      ASSERT_TRUE(bed.Compact());
    });
  }
}

TEST(RealExchange, IsAnsweredAsTheTableSays) {
  // From 1.34 on, pages come from snapshots in the API server's memory, which outlive a compaction
  // for a while. Read from etcd, as older servers do, they expire at once.
  const test_support::BedOptions options{
      .api_server_flags = {"--feature-gates=ListFromCacheSnapshot=false"}};
  if (const auto why_not = Bed::WhyNot(options)) GTEST_SKIP() << *why_not;
  ASSERT_TRUE(net::InitializeCpprest());
  const auto bed = Bed::Start(options);
  ASSERT_TRUE(bed) << bed.error().message;
  {
    SCOPED_TRACE("over Beast");
    RunTable(**bed, UnaryAdapter::kBeast, "beast");
  }
  {
    SCOPED_TRACE("over cpprest");
    RunTable(**bed, UnaryAdapter::kCpprest, "cpprest");
  }
}

}  // namespace
}  // namespace tracekeeper::kube
