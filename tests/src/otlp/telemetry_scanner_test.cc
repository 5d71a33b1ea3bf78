#include "src/otlp/telemetry_scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

#include "src/codec/protobuf_wire.h"
#include "tests/bench/otlp_corpus.h"
#include "tests/src/otlp/protobuf_oracle.h"

namespace tracekeeper::otlp {
namespace {

using codec::WireWriter;
using testing::HasSubstr;

/// A message written by `write`.
template <typename Write>
std::string Message(Write write) {
  std::string bytes;
  WireWriter out(bytes);
  write(out);
  return bytes;
}

std::string Text(std::string_view key, std::string_view value) {
  return Message([&](WireWriter& out) {
    out.Bytes(1, key);
    out.Bytes(2, Message([&](WireWriter& any) { any.Bytes(1, value); }));
  });
}

/// A request of one span, under a resource and a scope.
std::string Request(const std::string& span) {
  const std::string scope_spans = Message([&](WireWriter& out) {
    out.Bytes(2, span);
    // Behind its spans: any order is legal.
    out.Bytes(1, Message([](WireWriter& scope) { scope.Bytes(1, "net/http"); }));
  });
  return Message([&](WireWriter& out) {
    out.Bytes(1, Message([&](WireWriter& resource_spans) {
                resource_spans.Bytes(2, scope_spans);
                resource_spans.Bytes(1, Message([](WireWriter& resource) {
                                       resource.Bytes(1, Text("service.name", "cart"));
                                       resource.Bytes(1, Text("host.name", "node-1"));
                                       resource.Bytes(1, Text("host.id", "m1"));
                                     }));
              }));
  });
}

/// Keeps the last of each.
struct Last {
  std::string service, host, scope, name, parent, operation, address;
  SpanFields span;
  std::size_t spans = 0;
  std::size_t links = 0;

  void OnResource(const ResourceFields& resource) {
    service = resource.service;
    host = resource.host;
  }
  void OnScope(std::string_view scope_name) { scope = scope_name; }
  void OnSpan(const SpanFields& fields) {
    ++spans;
    span = fields;
    links = fields.links.size();
    name = fields.name;
    parent = fields.parent_span_id;
    operation = fields.peer.messaging_operation;
    address = fields.peer.address;
  }
};

TEST(TelemetryScanner, FindsResourceAndScopeWhereverTheyStand) {
  const std::string request = Request(Message([](WireWriter& span) { span.Bytes(5, "GET /"); }));
  TelemetryScanner scanner;
  Last last;
  ASSERT_TRUE(scanner.ScanTraces(request, last));
  EXPECT_EQ(last.service, "cart");
  EXPECT_EQ(last.scope, "net/http");
  EXPECT_EQ(last.host, "m1") << "an id is better than a name";
  EXPECT_EQ(last.name, "GET /");
}

TEST(TelemetryScanner, ReadsWhatTheEngineNeedsOfASpan) {
  const std::string request = Request(Message([](WireWriter& span) {
    span.Bytes(4, "12345678");
    span.Varint(6, 3);
    span.Fixed64(7, 1000);
    span.Fixed64(8, 2000);
    span.Bytes(9, Text("messaging.operation.type", "process"));
    span.Bytes(9, Text("messaging.operation", "receive"));
    span.Bytes(9, Text("rpc.method", "Get"));
    span.Bytes(9, Text("net.peer.name", "old"));
    span.Bytes(9, Text("server.address", "checkout.shop"));
    span.Bytes(13, Message([](WireWriter& link) { link.Bytes(1, "t"); }));
    span.Bytes(15, Message([](WireWriter& status) { status.Varint(3, 2); }));
    span.Fixed32(16, 0x301);
  }));
  TelemetryScanner scanner;
  Last last;
  ASSERT_TRUE(scanner.ScanTraces(request, last));
  EXPECT_EQ(last.parent, "12345678");
  EXPECT_EQ(last.span.kind, SpanKind::kClient);
  EXPECT_EQ(last.span.status, SpanStatus::kError);
  EXPECT_EQ(last.span.flags, 0x301U);
  EXPECT_EQ(last.span.start_nanoseconds, 1000U);
  EXPECT_EQ(last.operation, "process") << "the type beats what it was called before";
  EXPECT_EQ(last.address, "checkout.shop") << "today's name beats the old one";
  EXPECT_EQ(last.span.peer.rpc_method, "Get");
  EXPECT_TRUE(last.span.peer.is_rpc);
  EXPECT_TRUE(last.span.peer.is_messaging);
  EXPECT_FALSE(last.span.peer.is_database);
  EXPECT_EQ(last.links, 1U);
}

TEST(TelemetryScanner, TakesTheFirstOfTheNamesThatAreSecondBest) {
  const std::string request = Request(Message([](WireWriter& span) {
    span.Bytes(9, Text("messaging.operation", "b"));
    span.Bytes(9, Text("messaging.operation.name", "a"));
    span.Bytes(9, Text("net.peer.name", "a"));
    span.Bytes(9, Text("net.peer.name", "b"));
  }));
  TelemetryScanner scanner;
  Last last;
  ASSERT_TRUE(scanner.ScanTraces(request, last));
  EXPECT_EQ(last.operation, "a");
  EXPECT_EQ(last.address, "a");
  EXPECT_EQ(AskScanner(Signal::kTraces, request), AskProtobuf(Signal::kTraces, request)->text);
}

TEST(TelemetryScanner, ForgetsTheLinksOfTheSpanBefore) {
  const std::string linked = Request(Message([](WireWriter& span) { span.Bytes(13, ""); }));
  const std::string bare = Request(Message([](WireWriter& span) { span.Bytes(5, "x"); }));
  TelemetryScanner scanner;
  Last last;
  ASSERT_TRUE(scanner.ScanTraces(linked + bare, last));
  EXPECT_EQ(last.spans, 2U);
  EXPECT_EQ(last.links, 0U);
}

TEST(TelemetryScanner, SaysWhereTheDamageIs) {
  std::string request = Request(Message([](WireWriter& span) { span.Bytes(5, "GET /"); }));
  request.resize(request.size() - 3);
  TelemetryScanner scanner;
  Last last;
  const Status status = scanner.ScanTraces(request, last);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("damaged protobuf in or after the record at byte"));
}

TEST(TelemetryScanner, ReadsAsLibprotobufDoes) {
  for (const std::string& request : bench::MakeTraceRequests(20, 64, 7)) {
    const auto want = AskProtobuf(Signal::kTraces, request);
    ASSERT_TRUE(want);
    EXPECT_EQ(AskScanner(Signal::kTraces, request), want->text);
  }
}

/// Spans of every form that a sender may choose: any fields in any order, values of every kind and
/// length, names that matter and names that nearly do.
class AnySpan {
 public:
  explicit AnySpan(unsigned seed) : random_(seed) {}

  std::string Next() {
    return Message([this](WireWriter& span) {
      if (!OneIn(4)) Head(span);
      const std::size_t more = Below(12);
      for (std::size_t i = 0; i < more; ++i) OneIn(4) ? Other(span) : Attribute(span, 9);
      if (OneIn(2)) span.Bytes(15, OneIn(2) ? "" : Message([](auto& s) { s.Varint(3, 2); }));
      if (!OneIn(4)) span.Fixed32(16, static_cast<std::uint32_t>(random_()));
    });
  }

  std::string Resource() {
    return Message([this](WireWriter& resource) {
      for (std::size_t left = Below(8); left > 0; --left) Attribute(resource, 1);
      if (OneIn(3)) resource.Varint(2, 7);
    });
  }

  std::size_t Below(std::size_t limit) { return random_() % limit; }
  bool OneIn(std::size_t times) { return Below(times) == 0; }

 private:
  std::string Bytes(std::size_t size) {
    std::string bytes(size, ' ');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }
  std::string Bytes() { return Bytes(OneIn(8) ? Below(400) : Below(20)); }

  void Head(WireWriter& span) {
    span.Bytes(1, Bytes(OneIn(9) ? Below(20) : 16));
    span.Bytes(2, Bytes(OneIn(9) ? Below(20) : 8));
    if (OneIn(5)) span.Bytes(3, Bytes());
    if (OneIn(2)) span.Bytes(4, Bytes(OneIn(9) ? Below(20) : 8));
    span.Bytes(5, Bytes());
    span.Varint(6, OneIn(9) ? random_() : Below(8));
    span.Fixed64(7, random_());
    if (!OneIn(9)) span.Fixed64(8, random_());
  }

  std::string Key() {
    static constexpr auto kKeys = std::to_array<std::string_view>({"http.request.method",
                                                                   "http.method",
                                                                   "http.user_agent",
                                                                   "user_agent.original",
                                                                   "server.address",
                                                                   "net.peer.name",
                                                                   "peer.service",
                                                                   "messaging.operation.type",
                                                                   "messaging.operation.name",
                                                                   "messaging.operation",
                                                                   "messaging.system",
                                                                   "messaging.",
                                                                   "cassandra.page",
                                                                   "cassandra.",
                                                                   "sql.query",
                                                                   "error.type",
                                                                   "db.system",
                                                                   "db.",
                                                                   "db",
                                                                   "rpc.service",
                                                                   "rpc.method",
                                                                   "rpc.",
                                                                   "rpc",
                                                                   "rpc.system",
                                                                   "",
                                                                   "http.route",
                                                                   "thread.id"});
    std::string key(kKeys.at(Below(kKeys.size())));
    if (OneIn(6)) key += "x";
    if (OneIn(6) && !key.empty()) key[Below(key.size())] ^= 1;
    if (OneIn(6)) key.resize(Below(key.size() + 1));
    return OneIn(40) ? Bytes(Below(300)) : key;
  }

  void Attribute(WireWriter& owner, std::uint32_t field) {
    const std::string any = Message([this](WireWriter& value) {
      const std::size_t kind = Below(12);
      if (kind < 6) return value.Bytes(1, Bytes());
      if (kind < 8) return value.Varint(3, random_() >> Below(64));
      if (kind == 8) return value.Varint(2, Below(2));
      if (kind == 9) return value.Fixed64(4, random_());
      if (kind == 10) return value.Bytes(5, Message([](WireWriter& list) { list.Bytes(1, ""); }));
    });
    const std::string key = Key();
    const bool is_turned = OneIn(12);
    owner.Bytes(field, Message([&](WireWriter& out) {
                  if (is_turned) out.Bytes(2, any);
                  if (!OneIn(20)) out.Bytes(1, key);
                  if (!is_turned && !OneIn(20)) out.Bytes(2, any);
                  if (OneIn(20)) out.Varint(3, 7);
                }));
  }

  void Other(WireWriter& span) {
    switch (Below(5)) {
      case 0:
        return Head(span);
      case 1:
        return span.Bytes(11, Message([](WireWriter& event) {
                            event.Bytes(3, Text("exception.message", "gone"));
                          }));
      case 2:
        return span.Bytes(13, Message([this](WireWriter& link) { link.Bytes(1, Bytes(16)); }));
      case 3:
        return span.Varint(10, Below(1000));
      default:
        return span.Bytes(15, Message([](WireWriter& status) { status.Bytes(2, "bad"); }));
    }
  }

  std::mt19937_64 random_;
};

TEST(TelemetryScannerProperty, ReadsSpansOfAnyFormAsLibprotobufDoes) {
  AnySpan spans(5);
  std::size_t taken = 0;
  for (int round = 0; round < 10'000; ++round) {
    std::string body;
    WireWriter out(body);
    for (std::size_t left = 1 + spans.Below(3); left > 0; --left) out.Bytes(2, spans.Next());
    std::string request = Message([&](WireWriter& all) {
      all.Bytes(1, Message([&](WireWriter& resource_spans) {
                  resource_spans.Bytes(1, spans.Resource());
                  resource_spans.Bytes(2, body);
                }));
    });
    const bool is_damaged = spans.OneIn(2);
    if (is_damaged) request[spans.Below(request.size())] = static_cast<char>(spans.Below(256));
    // Of its very size, so that a look beyond its end is seen where addresses are checked.
    const std::vector<char> exact(request.begin(), request.end());
    const auto ours = AskScanner(Signal::kTraces, {exact.data(), exact.size()});
    ASSERT_TRUE(ours || is_damaged) << "round " << round;
    if (!ours) continue;
    ++taken;
    const auto theirs = AskProtobuf(Signal::kTraces, request);
    ASSERT_TRUE(theirs) << "round " << round << ": taken, and libprotobuf refuses it";
    ASSERT_EQ(*ours, theirs->text) << "round " << round;
  }
  EXPECT_GT(taken, 6000U);
}

TEST(TelemetryScannerProperty, AgreesWithLibprotobufOnDamagedRequests) {
  std::mt19937 random(11);
  const std::string whole = bench::MakeTraceRequests(1, 8, 3).front();
  std::size_t taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string request = whole;
    for (int change = 0; change < 3; ++change) {
      request[random() % request.size()] = static_cast<char>(random());
    }
    if (round % 4 == 0) request.resize(random() % request.size());
    const auto ours = AskScanner(Signal::kTraces, request);
    if (!ours) continue;
    ++taken;
    const auto theirs = AskProtobuf(Signal::kTraces, request);
    ASSERT_TRUE(theirs) << "round " << round << ": taken, and libprotobuf refuses it";
    ASSERT_EQ(*ours, theirs->text) << "round " << round;
  }
  EXPECT_GT(taken, 1000U) << "else nothing was compared";
}

}  // namespace
}  // namespace tracekeeper::otlp
