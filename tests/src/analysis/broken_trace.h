#pragma once
// A trace that is broken for one cause: the request of a gateway, whose call of `cart` arrives with
// a parent that nobody sent.
//
// Threads:  pure functions.

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/truth/telemetry_model.h"

namespace tracekeeper::analysis {

/// "01010101010101010101010101010107" for 7.
inline std::string BrokenTraceId(std::uint32_t number) {
  return fmt::format("010101010101010101010101{:08x}", 0x0101'0100U + number);
}

/// Of policy shop/checkout; orphan_remote_parent, shown at the span "GET /cart" of service cart.
inline std::vector<truth::ModelSpan> BrokenTrace(std::uint32_t number) {
  const auto resource = [](const std::string& name) -> truth::Attributes {
    return {{"service.name", name},
            {"service.instance.id", name + "-1"},
            {"tracekeeper.policy", "shop/checkout"}};
  };
  const auto last = static_cast<char>(number);
  std::string trace_id(16, '\1');
  for (unsigned i = 0; i < 4; ++i) {
    trace_id[15 - i] = static_cast<char>((0x0101'0100U + number) >> (8 * i));
  }
  const auto id = [last](char which) { return std::string(6, '\2') + which + last; };
  constexpr std::uint64_t kStart = 1'700'000'000'000'000'000;
  truth::ModelSpan gateway;
  gateway.trace_id = trace_id;
  gateway.span_id = id('g');
  gateway.name = "GET /";
  gateway.scope = "http";
  gateway.kind = 2;
  gateway.start_nanoseconds = kStart;
  gateway.end_nanoseconds = kStart + 50'000'000;
  gateway.resource = resource("gateway");
  truth::ModelSpan cart = gateway;
  cart.span_id = id('c');
  cart.parent_span_id = id('x');
  cart.name = "GET /cart";
  cart.start_nanoseconds += 1'000'000;
  cart.resource = resource("cart");
  return {gateway, cart};
}

}  // namespace tracekeeper::analysis
