// The table of exchanges against the fake server.
#include <gtest/gtest.h>

#include "tests/src/kube/exchange_table.h"
#include "tests/support/fake_api_server.h"

namespace tracekeeper::kube {
namespace {

class FakeExchange : public testing::TestWithParam<Exchange> {};

TEST_P(FakeExchange, IsAnsweredAsTheTableSays) {
  SystemClock clock;
  test_support::FakeApiServer server(clock);
  Client client({}, server, server, nullptr, clock, NoMetrics());
  RunExchange(GetParam(), client, "shop", [&] {
    // History is forgotten when something newer is there, as in etcd.
    server.Put(kNamespaces, R"({"metadata":{"name":"newer"}})");
    server.Compact();
  });
}

TEST_P(FakeExchange, IsTheSameWhenTheBytesDrip) {
  SystemClock clock;
  test_support::FakeApiServer server(clock);
  server.DripBytes(7);
  Client client({}, server, server, nullptr, clock, NoMetrics());
  RunExchange(GetParam(), client, "shop", [&] {
    server.Put(kNamespaces, R"({"metadata":{"name":"newer"}})");
    server.Compact();
  });
}

INSTANTIATE_TEST_SUITE_P(Table, FakeExchange, testing::ValuesIn(Exchanges()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tracekeeper::kube
