#include "tests/bench/otlp_corpus.h"

#include <fmt/format.h>

#include <array>
#include <random>

#include "src/codec/protobuf_wire.h"

namespace tracekeeper::bench {
namespace {

using codec::WireWriter;
using Random = std::mt19937_64;

std::string RandomBytes(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

void Attribute(WireWriter& span, std::string_view key, std::string_view value) {
  const auto attribute = span.Begin(9);
  span.Bytes(1, key);
  const auto any = span.Begin(2);
  span.Bytes(1, value);
  span.End(any);
  span.End(attribute);
}

void Number(WireWriter& span, std::string_view key, std::uint64_t value) {
  const auto attribute = span.Begin(9);
  span.Bytes(1, key);
  const auto any = span.Begin(2);
  span.Varint(3, value);
  span.End(any);
  span.End(attribute);
}

void Span(WireWriter& out, const std::string& trace, const std::string& parent, Random& random) {
  constexpr std::array kRoutes = {"/api/v1/cart/{id}", "/api/v1/orders", "/api/v1/catalog/{sku}",
                                  "/healthz"};
  const std::uint64_t pick = random();
  const char* route = kRoutes[pick % kRoutes.size()];
  const std::uint64_t start = 1'700'000'000'000'000'000U + pick % 1'000'000'000'000U;
  const auto span = out.Begin(2);
  out.Bytes(1, trace);
  out.Bytes(2, RandomBytes(random, 8));
  if (!parent.empty()) out.Bytes(4, parent);
  out.Bytes(5, fmt::format("GET {}", route));
  out.Varint(6, pick % 3 + 1);
  out.Fixed64(7, start);
  out.Fixed64(8, start + pick % 50'000'000);
  Attribute(out, "http.request.method", "GET");
  Attribute(out, "http.route", route);
  Attribute(out, "url.path", fmt::format("/api/v1/cart/{}", pick % 100'000));
  Attribute(out, "url.scheme", "http");
  Attribute(out, "server.address", fmt::format("cart-{}.shop.svc.cluster.local", pick % 7));
  Number(out, "server.port", 8080);
  Number(out, "http.response.status_code", pick % 20 == 0 ? 500 : 200);
  Attribute(out, "network.protocol.version", "1.1");
  Attribute(out, "user_agent.original", "python-requests/2.34.2");
  Attribute(out, "client.address", fmt::format("10.42.{}.{}", pick % 256, pick / 256 % 256));
  Number(out, "thread.id", pick % 64);
  Attribute(out, "enduser.id", fmt::format("{:016x}", random()));
  out.Fixed32(16, 0x101);
  out.End(span);
}

std::string Request(std::size_t spans, Random& random) {
  std::string request;
  WireWriter out(request);
  const auto resource_spans = out.Begin(1);
  const auto resource = out.Begin(1);
  for (const auto& [key, value] : {std::pair{"service.name", "cart"},
                                   {"k8s.pod.name", "cart-6d4cf56db6-x7k2p"},
                                   {"telemetry.sdk.language", "python"}}) {
    const auto attribute = out.Begin(1);
    out.Bytes(1, key);
    const auto any = out.Begin(2);
    out.Bytes(1, value);
    out.End(any);
    out.End(attribute);
  }
  out.End(resource);
  const auto scope_spans = out.Begin(2);
  const auto scope = out.Begin(1);
  out.Bytes(1, "opentelemetry.instrumentation.requests");
  out.End(scope);
  std::string trace;
  std::string parent;
  for (std::size_t i = 0; i < spans; ++i) {
    const bool is_root = i % 8 == 0;
    if (is_root) {
      trace = RandomBytes(random, 16);
      parent = RandomBytes(random, 8);
    }
    Span(out, trace, is_root ? "" : parent, random);
  }
  out.End(scope_spans);
  out.End(resource_spans);
  return request;
}

}  // namespace

std::vector<std::string> MakeTraceRequests(std::size_t count, std::size_t spans, unsigned seed) {
  Random random(seed);
  std::vector<std::string> requests;
  requests.reserve(count);
  for (std::size_t i = 0; i < count; ++i) requests.push_back(Request(spans, random));
  return requests;
}

}  // namespace tracekeeper::bench
