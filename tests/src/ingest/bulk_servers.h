#pragma once
// The two receivers of a program that takes telemetry in bulk, on free ports before one intake, and
// a client for each.
//
// Owner:  a test.

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/log.h"
#include "src/ingest/grpc_server.h"
#include "src/net/grpc.h"
#include "src/net/http2_client.h"
#include "src/net/server.h"
#include "src/net/transports.h"
#include "src/otlp/http_receiver.h"
#include "tests/src/otlp/scripted_intake.h"

namespace tracekeeper::ingest {

class BulkServers {
 public:
  explicit BulkServers(GrpcServerOptions options = {},
                       otlp::ReceiverLimits limits = otlp::kBulkLimits)
      : http_receiver_(intake, limits),
        http_(net::MakeBeastServer(
            HttpOptions(),
            [this](const net::Request& request) { return http_receiver_.Handle(request); },
            Logger(log_))),
        grpc(std::move(options), intake, Logger(log_)) {
    for (const Status& started : {http_->Start(), grpc.Start()}) {
      if (!started) throw std::runtime_error(started.error().message);
    }
    transport_ =
        *net::MakeBeastTransport({.base_url = "http://127.0.0.1:" + std::to_string(http_port())});
    grpc_client_ = GrpcClient();
  }

  /// A gRPC client with a connection of its own.
  [[nodiscard]] std::unique_ptr<net::Http2Client> GrpcClient() const {
    return *net::MakeHttp2Client(
        {.transport = {.base_url = "http://127.0.0.1:" + std::to_string(grpc.port())}});
  }

  net::Response Post(const std::string& path, net::Headers headers, std::string body) {
    return Ask({"POST", path, std::move(headers), std::move(body)});
  }
  net::Response Ask(const net::Request& request) {
    const auto response = transport_->Send(request, {}, {});
    if (!response) throw std::runtime_error(response.error().message);
    return *response;
  }

  net::GrpcReply Call(std::string_view method, std::string_view message,
                      std::string_view encoding = {}) {
    return CallBy(*grpc_client_, method, message, encoding);
  }
  static net::GrpcReply CallBy(net::Http2Client& client, std::string_view method,
                               std::string_view message, std::string_view encoding = {}) {
    auto answer = client.Send(
        net::WriteGrpcRequest({.method = method, .message = message, .encoding = encoding}, {}),
        {.deadline = std::chrono::seconds(60)}, {});
    if (!answer) throw std::runtime_error(answer.error().error.message);
    return net::ReadGrpcResponse(*std::move(answer));
  }

  [[nodiscard]] std::uint16_t http_port() const { return http_->port(); }

  otlp::ScriptedIntake intake;

 private:
  static net::ServerOptions HttpOptions() {
    net::ServerOptions options;
    options.name = "otlp-http";
    options.threads = 2;
    options.limits = otlp::BulkServerLimits();
    return options;
  }

  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  otlp::HttpReceiver http_receiver_;
  std::unique_ptr<net::Server> http_;

 public:
  GrpcServer grpc;

 private:
  std::unique_ptr<net::Transport> transport_;
  std::unique_ptr<net::Http2Client> grpc_client_;
};

}  // namespace tracekeeper::ingest
