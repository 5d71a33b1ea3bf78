#include "tests/bench/trace_corpus.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <memory>
#include <random>

#include "src/codec/protobuf_wire.h"

namespace tracekeeper::bench {
namespace {

using codec::WireWriter;

constexpr std::size_t kServices = 16;
constexpr std::size_t kSpansOfRequest = 512;
constexpr std::uint64_t kEpoch = 1'700'000'000'000'000'000U;  // nanoseconds since 1970

enum Kind : std::uint64_t { kInternal = 1, kServer = 2, kClient = 3 };

std::string BigEndian(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (std::size_t i = 8; i-- > 0; value >>= 8U) bytes[i] = static_cast<char>(value);
  return bytes;
}

std::string ServiceName(std::size_t service) { return fmt::format("service-{:02}", service); }

void Attribute(WireWriter& span, std::uint32_t field, std::string_view key,
               std::string_view value) {
  const auto attribute = span.Begin(field);
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

}  // namespace

struct TraceCorpus::Span {
  std::size_t service = 0;
  std::size_t peer = kServices;  // of a call; kServices: a database
  std::string trace;
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
  Kind kind = kInternal;
  std::uint64_t start = 0;
  std::uint64_t length = 0;
};

/// Collects the spans of each service until they fill a request.
class TraceCorpus::Builder {
 public:
  Builder(TraceCorpus& corpus, unsigned seed) : corpus_(corpus), random_(seed) {}

  void Trace(std::uint64_t start) {
    const std::string trace = BigEndian(random_()) + BigEndian(random_());
    const std::size_t front = random_() % 4;
    const std::size_t middle = 4 + random_() % 6;
    const std::size_t back = 10 + random_() % 6;
    const auto add = [&](std::size_t service, Kind kind, std::uint64_t parent, std::uint64_t after,
                         std::size_t peer = kServices) {
      const std::uint64_t id = random_();
      open_[service].push_back({.service = service,
                                .peer = peer,
                                .trace = trace,
                                .id = id,
                                .parent = parent,
                                .kind = kind,
                                .start = start + after * 200'000,
                                .length = (16 - after) * 500'000});
      if (open_[service].size() == kSpansOfRequest) Flush(service);
      return id;
    };
    const std::uint64_t entry = add(front, kServer, 0, 0);
    const std::uint64_t handler = add(front, kInternal, entry, 1);
    const std::uint64_t call = add(front, kClient, handler, 2, middle);
    const std::uint64_t served = add(middle, kServer, call, 3);
    const std::uint64_t second_call = add(middle, kClient, served, 4, back);
    const std::uint64_t served_again = add(back, kServer, second_call, 5);
    const std::uint64_t work = add(back, kInternal, served_again, 6);
    add(back, kClient, work, 7);
  }

  void Flush(std::size_t service) {
    if (open_[service].empty()) return;
    std::string& request = corpus_.requests_.emplace_back();
    WireWriter out(request);
    const auto resource_spans = out.Begin(1);
    const auto resource = out.Begin(1);
    Attribute(out, 1, "service.name", ServiceName(service));
    Attribute(out, 1, "service.instance.id",
              fmt::format("{}-6d4cf56db6-{}", ServiceName(service), requests_++ % 4));
    Attribute(out, 1, "telemetry.sdk.language", "go");
    out.End(resource);
    const auto scope_spans = out.Begin(2);
    const auto scope = out.Begin(1);
    out.Bytes(1, "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp");
    out.End(scope);
    for (const Span& span : open_[service]) Write(out, span);
    out.End(scope_spans);
    out.End(resource_spans);
    FindPlaces(request, open_[service]);
    open_[service].clear();
  }

  void FlushAll() {
    for (std::size_t service = 0; service < kServices; ++service) Flush(service);
  }

 private:
  void Write(WireWriter& out, const Span& span) {
    constexpr std::array kRoutes = {"/api/v1/cart/{id}", "/api/v1/orders", "/api/v1/catalog/{sku}"};
    const std::uint64_t pick = span.id;
    const char* route = kRoutes.at(span.service % kRoutes.size());
    const auto begun = out.Begin(2);
    out.Bytes(1, span.trace);
    out.Bytes(2, BigEndian(span.id));
    if (span.parent != 0) out.Bytes(4, BigEndian(span.parent));
    out.Bytes(5, fmt::format("{} {}", span.kind == kInternal ? "handle" : "GET", route));
    out.Varint(6, span.kind);
    out.Fixed64(7, span.start);
    out.Fixed64(8, span.start + span.length);
    Attribute(out, 9, "http.request.method", "GET");
    Attribute(out, 9, "http.route", route);
    Attribute(out, 9, "url.path", fmt::format("/api/v1/cart/{}", pick % 100'000));
    Attribute(out, 9, "url.scheme", "http");
    if (span.kind == kClient && span.peer == kServices) {
      Attribute(out, 9, "db.system", "postgresql");
    } else {
      const std::size_t address = span.kind == kClient ? span.peer : span.service;
      Attribute(out, 9, "server.address",
                fmt::format("{}.shop.svc.cluster.local", ServiceName(address)));
    }
    Number(out, "server.port", 8080);
    Number(out, "http.response.status_code", 200);
    Attribute(out, 9, "network.protocol.version", "1.1");
    Attribute(out, 9, "user_agent.original", "python-requests/2.34.2");
    Attribute(out, 9, "client.address", fmt::format("10.42.{}.{}", pick % 256, pick / 256 % 256));
    Number(out, "thread.id", pick % 64);
    Attribute(out, 9, "enduser.id", fmt::format("{:016x}", pick));
    const bool is_entry = span.kind == kServer;
    out.Fixed32(16, is_entry ? 0x301 : 0x101);
    out.End(begun);
  }

  /// By the bytes that were written: ids are random, so none stands there by chance.
  void FindPlaces(const std::string& request, const std::vector<Span>& spans) {
    std::size_t from = 0;
    const auto find = [&](std::string_view bytes) {
      from = request.find(bytes, from);
      return static_cast<std::uint32_t>(from);
    };
    const auto fixed = [](std::uint64_t value) {
      std::string bytes(8, '\0');
      std::memcpy(bytes.data(), &value, bytes.size());
      return bytes;
    };
    for (const Span& span : spans) {
      Place place{.request = static_cast<std::uint32_t>(corpus_.requests_.size() - 1)};
      place.trace_id = find(span.trace);
      place.start = find(fixed(span.start));
      place.end = find(fixed(span.start + span.length));
      corpus_.places_.push_back(place);
    }
  }

  TraceCorpus& corpus_;
  std::mt19937_64 random_;
  std::size_t requests_ = 0;
  std::array<std::vector<Span>, kServices> open_;
};

TraceCorpus::TraceCorpus(std::size_t traces, std::uint64_t microseconds, unsigned seed)
    : traces_(traces), microseconds_(microseconds) {
  Builder builder(*this, seed);
  for (std::size_t i = 0; i < traces; ++i) {
    builder.Trace(kEpoch + microseconds * 1000 / traces * i);
  }
  builder.FlushAll();
}

std::size_t TraceCorpus::bytes() const {
  std::size_t sum = 0;
  for (const std::string& request : requests_) sum += request.size();
  return sum;
}

void TraceCorpus::Renew() {
  ++renewals_;
  const auto change = [](char* at, auto by) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    value = by(value);
    std::memcpy(at, &value, sizeof value);
  };
  const std::uint64_t mask = renewals_ * 0x9E3779B97F4A7C15U;
  const std::uint64_t step = microseconds_ * 1000;
  for (const Place& place : places_) {
    char* const request = requests_[place.request].data();
    for (const std::size_t half : {0U, 8U}) {
      change(request + place.trace_id + half, [&](std::uint64_t id) { return id ^ mask; });
    }
    for (const std::uint32_t time : {place.start, place.end}) {
      change(request + time, [&](std::uint64_t at) { return at + step; });
    }
  }
}

}  // namespace tracekeeper::bench
