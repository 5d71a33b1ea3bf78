// The table of exchanges against a real Vault.

#include <gtest/gtest.h>

#include "tests/src/vault/exchange_table.h"
#include "tests/support/vault_server.h"

namespace tracekeeper::vault {
namespace {

TEST(RealExchanges, AreAnsweredAsTheTableSays) {
  const auto vault = test_support::StartVault();
  ASSERT_NE(vault, nullptr);
  const auto transport = vault->Connect();
  ASSERT_TRUE(transport) << transport.error().message;
  for (const Exchange& exchange : Exchanges()) {
    RunExchange(exchange, **transport, vault->root_token());
  }
}

}  // namespace
}  // namespace tracekeeper::vault
