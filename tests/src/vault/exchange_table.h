#pragma once
// The table of exchanges with a Vault: it runs against the fake in memory (unit) and against a real
// server (integration): what the fake does for other tests is thereby what a real Vault does.
//
// A path, body or token may hold ${mount} (a mount of its own for each exchange) and ${NAME}, where
// an earlier step kept a member of its answer under that name.

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/net/transport.h"

namespace tracekeeper::vault {

struct ExchangeStep {
  std::string_view method;
  std::string_view path;  // below /v1/
  std::string_view body = "";
  int status = 200;
  /// Members of the answer: {"data.version", "1"}; an empty value: not there.
  std::vector<std::pair<std::string_view, std::string_view>> holds = {};
  /// {"token", "auth.client_token"}: what later steps call ${token}.
  std::pair<std::string_view, std::string_view> keeps = {};
  std::string_view token = "";  // empty: the root token
  std::string_view wrap = "";   // seconds
};

struct Exchange {
  std::string_view name;
  std::vector<ExchangeStep> steps;
};

std::span<const Exchange> Exchanges();

/// Runs one exchange; what differs fails the current test.
void RunExchange(const Exchange& exchange, net::Transport& vault, const std::string& root_token);

}  // namespace tracekeeper::vault
