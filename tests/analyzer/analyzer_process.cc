#include "tests/analyzer/analyzer_process.h"

#include <fmt/core.h>

#include <chrono>
#include <stdexcept>
#include <utility>

#include "src/net/grpc.h"
#include "src/net/http2_client.h"
#include "src/net/transports.h"
#include "src/otlp/signal.h"
#include "tests/support/folders.h"

namespace tracekeeper::analyzer {
namespace {

constexpr std::chrono::seconds kLimit{20};

template <typename T>
T Value(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

/// Of the line that says that all is started.
int LoggedPort(const std::string& log, const std::string& key) {
  const std::size_t at = log.find(key + "=", log.find("msg=Started"));
  if (at == std::string::npos) throw std::runtime_error("no " + key + " in: " + log);
  return std::stoi(log.substr(at + key.size() + 1));
}

std::string UrlOf(int port) { return fmt::format("http://127.0.0.1:{}", port); }

}  // namespace

AnalyzerProcess::AnalyzerProcess(std::vector<std::string> flags, const std::string& settle_seconds,
                                 const std::string& warm_up_seconds) {
  std::vector<std::string> argv = {test_support::Program("tracekeeper-analyzer"),
                                   "--address=127.0.0.1",
                                   "--otlp-grpc-port=0",
                                   "--otlp-http-port=0",
                                   "--metrics-port=0",
                                   "--api-port=0",
                                   "--settle-seconds=" + settle_seconds,
                                   "--join-seconds=0.2",
                                   "--warm-up-seconds=" + warm_up_seconds};
  argv.insert(argv.end(), flags.begin(), flags.end());
  process_ = std::make_unique<test_support::ChildProcess>(
      Value(test_support::ChildProcess::Start({.argv = std::move(argv)}, folder_ / "log")));
  const bool is_started = process_->WaitForLog("msg=Started", kLimit);
  const std::string log = process_->ReadLog();
  if (!is_started) throw std::runtime_error("the analyzer did not start: " + log);
  grpc_port_ = LoggedPort(log, "otlp_grpc_port");
  const auto connect = [&log](const std::string& key) {
    return Value(
        net::MakeBeastTransport({.name = "analyzer", .base_url = UrlOf(LoggedPort(log, key))}));
  };
  otlp_http_url_ = UrlOf(LoggedPort(log, "otlp_http_port"));
  otlp_ = connect("otlp_http_port");
  metrics_ = connect("metrics_port");
  api_ = connect("api_port");
}

net::Response AnalyzerProcess::Ask(net::Transport& transport, const net::Request& request) {
  return Value(transport.Send(request, {.deadline = kLimit}, StopToken()));
}

net::Response AnalyzerProcess::Send(const std::string& path, net::Headers headers,
                                    std::string body) {
  return Ask(*otlp_, {"POST", path, std::move(headers), std::move(body)});
}

bool AnalyzerProcess::SendOverGrpc(const std::string& request) {
  return CallOverGrpc(request).status.ok();
}

net::GrpcReply AnalyzerProcess::CallOverGrpc(const std::string& request) {
  const auto client = Value(net::MakeHttp2Client({.transport = {.base_url = UrlOf(grpc_port_)}}));
  auto answer = client->Send(
      net::WriteGrpcRequest(
          {.method = GrpcMethodOf(otlp::Signal::kTraces), .message = request, .encoding = {}}, {}),
      {.deadline = kLimit}, {});
  if (answer) return net::ReadGrpcResponse(*std::move(answer));
  const std::string& why = answer.error().error.message;
  // As gRPC's own clients read that code of HTTP/2.
  const bool is_too_much = why.find("ENHANCE_YOUR_CALM") != std::string::npos;
  if (!is_too_much) throw std::runtime_error(why);
  return {.status = {.code = net::GrpcCode::kResourceExhausted, .message = why}};
}

net::Response AnalyzerProcess::Metrics(const std::string& accept) {
  return Ask(*metrics_, {"GET", "/metrics", {{"Accept", accept}}, ""});
}

analysis::Samples AnalyzerProcess::Scrape() { return analysis::ReadSamples(Metrics().body); }

net::Response AnalyzerProcess::Api(const std::string& target) {
  return Ask(*api_, {"GET", target, {}, ""});
}

test_support::JsonTree AnalyzerProcess::ApiJson(const std::string& target) {
  return Value(test_support::JsonTree::Parse(Api(target).body));
}

}  // namespace tracekeeper::analyzer
