#include <fmt/format.h>
#include <gtest/gtest.h>

#include <charconv>
#include <map>

#include "src/codec/json_value.h"
#include "tests/src/vault/exchange_table.h"

namespace tracekeeper::vault {
namespace {

/// The value at "data.metadata.version" as text; empty when it is not there.
std::string TextAt(codec::JsonValue value, std::string_view path) {
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const std::string_view step = path.substr(0, dot);
    path.remove_prefix(std::min(dot + 1, path.size()));
    if (!value.is_array()) {
      value = value[step];
      continue;
    }
    std::size_t index = 0;
    std::from_chars(step.data(), step.data() + step.size(), index);
    codec::JsonValue found;
    for (const codec::JsonValue element : value.Elements()) {
      if (index-- == 0) found = element;
    }
    value = found;
  }
  if (!value) return "";
  const auto text = value.String();
  return text ? std::string(*text) : value.ToJson();
}

using Kept = std::map<std::string, std::string, std::less<>>;

std::string Filled(std::string_view text, const Kept& kept) {
  std::string filled(text);
  for (const auto& [name, value] : kept) {
    const std::string mark = fmt::format("${{{}}}", name);
    for (std::size_t at = filled.find(mark); at != std::string::npos; at = filled.find(mark, at)) {
      filled.replace(at, mark.size(), value);
    }
  }
  return filled;
}

void RunStep(const ExchangeStep& step, net::Transport& vault, const std::string& root_token,
             Kept& kept) {
  SCOPED_TRACE(fmt::format("{} {}", step.method, step.path));
  net::Request request;
  request.method = step.method;
  request.target = "/v1/" + Filled(step.path, kept);
  request.headers.Set("X-Vault-Token", step.token.empty() ? root_token : Filled(step.token, kept));
  if (!step.wrap.empty()) request.headers.Set("X-Vault-Wrap-TTL", step.wrap);
  request.body = Filled(step.body, kept);
  const auto answer = vault.Send(request, {}, {});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, step.status) << answer->body;
  codec::JsonParser parser;
  const auto document = parser.Parse(answer->body.empty() ? "{}" : answer->body);
  ASSERT_TRUE(document) << answer->body;
  for (const auto& [path, value] : step.holds) {
    EXPECT_EQ(TextAt(*document, path), value) << path << " of " << answer->body;
  }
  if (!step.keeps.first.empty()) {
    kept[std::string(step.keeps.first)] = TextAt(*document, step.keeps.second);
  }
}

}  // namespace

void RunExchange(const Exchange& exchange, net::Transport& vault, const std::string& root_token) {
  SCOPED_TRACE(exchange.name);
  Kept kept = {{"mount", std::string(exchange.name)}};
  for (const ExchangeStep& step : exchange.steps) RunStep(step, vault, root_token, kept);
}

}  // namespace tracekeeper::vault
