#include "tests/sidecar/relay_bed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

#include "src/net/transports.h"
#include "tests/support/eventually.h"
#include "tests/support/free_port.h"
#include "tests/support/otlp_requests.h"

namespace tracekeeper::sidecar {
namespace {

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

}  // namespace

RelayBed::RelayBed() {
  ports_.otlp_grpc = test_support::FreePort();
  ports_.otlp_http = test_support::FreePort();
}

void RelayBed::Publish(const config::Export& target,
                       const std::function<void(config::SidecarConfig&)>& change) {
  config::SidecarConfig config;
  config.policy = {"shop", "checkout"};
  config.generation = ++generation_;
  config.log_level = config::Verbosity::kDebug;
  config.export_to = target;
  config.ports = ports_;
  if (change) change(config);
  config_.Publish(config::EncodeSidecarConfig(config));
  if (!sidecar_) return;
  const std::string taken = fmt::format("\"generation\":{},", generation_);
  EXPECT_NE(sidecar_->WaitForBody("/status", taken).find(taken), std::string::npos);
}

void RelayBed::StartSidecar(std::vector<std::string> flags) {
  auto started = SidecarProcess::Start(config_.file(), folder() / "sidecar.log", std::move(flags));
  ASSERT_TRUE(started) << started.error().message;
  sidecar_.emplace(*std::move(started));
  const std::string body = sidecar_->WaitForBody("/readyz", "ready: configuration");
  ASSERT_NE(body.find("ready: configuration"), std::string::npos) << body;
  auto transport = net::MakeBeastTransport({.name = "sidecar", .base_url = http_endpoint()});
  ASSERT_TRUE(transport);
  to_sidecar_ = *std::move(transport);
}

int RelayBed::Send(int count) {
  std::vector<test_support::TestSpan> spans;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t id = next_span_++;
    spans.push_back({.trace_id = test_support::IdOf(id / 4 + 1, 16),
                     .span_id = test_support::IdOf(id, 8),
                     .padding = std::string(100, 'p')});
  }
  const auto response = to_sidecar_->Send({.method = "POST",
                                           .target = "/v1/traces",
                                           .headers = {{"Content-Type", "application/x-protobuf"}},
                                           .body = test_support::TracesRequest("bed", spans)},
                                          {.deadline = std::chrono::seconds(10)}, StopToken());
  if (!response || response->status != 200) return 0;
  for (const auto& span : spans) sent_.insert(Hex(span.span_id));
  return count;
}

void RelayBed::Post(const std::string& path, std::string body) {
  const auto response = to_sidecar_->Send({.method = "POST",
                                           .target = path,
                                           .headers = {{"Content-Type", "application/x-protobuf"}},
                                           .body = std::move(body)},
                                          {.deadline = std::chrono::seconds(10)}, StopToken());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
}

std::string RelayBed::http_endpoint() const {
  return fmt::format("http://127.0.0.1:{}", ports_.otlp_http);
}
std::string RelayBed::grpc_endpoint() const {
  return fmt::format("http://127.0.0.1:{}", ports_.otlp_grpc);
}

double RelayBed::Metric(const std::string& name_and_labels) {
  const auto response = sidecar_->Get("/metrics");
  if (!response) return -1;
  const std::size_t line = response->body.find("\n" + name_and_labels + " ");
  if (line == std::string::npos) return -1;
  return std::stod(response->body.substr(line + name_and_labels.size() + 2));
}

bool RelayBed::WaitForMetric(const std::string& name_and_labels,
                             const std::function<bool(double)>& holds) {
  return test_support::Eventually([&] { return holds(Metric(name_and_labels)); },
                                  std::chrono::seconds(30));
}

}  // namespace tracekeeper::sidecar
