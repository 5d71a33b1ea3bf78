#include "src/config/export_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tracekeeper::config {
namespace {

using ::testing::HasSubstr;
constexpr auto kGrpc = ExportProtocol::kGrpc;
constexpr auto kHttp = ExportProtocol::kHttpProtobuf;

struct GoodCase {
  const char* endpoint;
  ExportProtocol protocol;
  bool insecure;
  const char* want;
};

TEST(ExportEndpoint, IsReadAsPeopleWriteIt) {
  const GoodCase cases[] = {
      {"https://collector.shop:4317", kGrpc, false, "https://collector.shop:4317"},
      {"http://collector.shop:4317/", kGrpc, false, "http://collector.shop:4317"},
      {"collector.shop:4317", kGrpc, false, "https://collector.shop:4317"},
      {"collector.shop:4317", kGrpc, true, "http://collector.shop:4317"},
      {"collector.shop", kGrpc, true, "http://collector.shop:4317"},
      {"https://[fd00::1]", kGrpc, false, "https://[fd00::1]:4317"},
      {"http://[fd00::1]:4318", kHttp, false, "http://[fd00::1]:4318"},
      {"https://backend.example", kHttp, false, "https://backend.example"},
      {"https://backend.example/otlp/", kHttp, true, "https://backend.example/otlp"},
  };
  for (const GoodCase& test : cases) {
    const auto endpoint = ParseExportEndpoint(
        {.endpoint = test.endpoint, .protocol = test.protocol, .tls = {.insecure = test.insecure}});
    ASSERT_TRUE(endpoint) << test.endpoint << ": " << endpoint.error().message;
    EXPECT_EQ(endpoint->Text(), test.want) << test.endpoint;
  }
}

struct BadCase {
  const char* endpoint;
  ExportProtocol protocol;
  const char* why;
};

TEST(ExportEndpoint, IsRefusedWithWhatToWrite) {
  const BadCase cases[] = {
      {"", kGrpc, "without blanks"},
      {"http://a b", kHttp, "without blanks"},
      {"https://user:pass@host", kHttp, "use export.auth"},
      {"collector:4318", kHttp, "must begin with http:// or https://"},
      {"ftp://collector", kGrpc, "must begin with http:// or https://"},
      {"https://", kHttp, "must be a scheme, a host"},
      {"https://:4318", kHttp, "must be a scheme, a host"},
      {"https://host:0", kHttp, "between 1 and 65535"},
      {"https://host:70000", kHttp, "between 1 and 65535"},
      {"https://host:http", kHttp, "between 1 and 65535"},
      {"https://[fd00::1", kHttp, "must be a scheme, a host"},
      {"https://[fd00::1]4318", kHttp, "must be a scheme, a host"},
      {"https://host/v1?x=1", kHttp, "must be a scheme, a host"},
      {"https://host:4317/otlp", kGrpc, "which gRPC has no use for"},
  };
  for (const BadCase& test : cases) {
    const auto endpoint =
        ParseExportEndpoint({.endpoint = test.endpoint, .protocol = test.protocol});
    ASSERT_FALSE(endpoint) << test.endpoint;
    EXPECT_THAT(endpoint.error().message, HasSubstr(test.why)) << test.endpoint;
  }
}

}  // namespace
}  // namespace tracekeeper::config
