#include "tests/bench/otlp_load.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>

#include "src/net/grpc.h"
#include "src/net/http2_client.h"
#include "src/net/transports.h"
#include "src/otlp/signal.h"

namespace tracekeeper::bench {
namespace {

constexpr std::chrono::seconds kDeadline{60};
constexpr std::chrono::milliseconds kPause{2};

template <typename T>
T Must(Result<T> result) {
  if (result) return *std::move(result);
  fmt::print(stderr, "otlp_load: {}\n", result.error().message);
  std::exit(1);
}

}  // namespace

net::Request OtlpRequest(bool is_grpc, const std::string& encoding, const std::string& message) {
  if (is_grpc) {
    return net::WriteGrpcRequest(
        {.method = GrpcMethodOf(otlp::Signal::kTraces), .message = message, .encoding = encoding},
        {});
  }
  net::Request request{.method = "POST",
                       .target = std::string(HttpPathOf(otlp::Signal::kTraces)),
                       .headers = {{"Content-Type", "application/x-protobuf"}},
                       .body = message};
  if (!encoding.empty()) request.headers.Set("Content-Encoding", encoding);
  return request;
}

OtlpLoad::OtlpLoad(bool is_grpc, std::uint16_t port, std::size_t connections) {
  for (std::size_t i = 0; i < connections; ++i) {
    net::TransportOptions options{.name = "server",
                                  .base_url = fmt::format("http://127.0.0.1:{}", port)};
    if (is_grpc) {
      const std::shared_ptr<net::Http2Client> client =
          Must(net::MakeHttp2Client({.transport = std::move(options)}));
      connections_.emplace_back([client](const net::Request& request, std::string& failure) {
        auto response = client->Send(request, {.deadline = kDeadline}, StopToken());
        if (!response) {
          failure = response.error().error.message;
          return Outcome::kFailed;
        }
        const net::GrpcStatus status = net::ReadGrpcResponse(*std::move(response)).status;
        if (status.ok()) return Outcome::kTaken;
        failure = status.message;
        const bool is_later = status.code == net::GrpcCode::kResourceExhausted;
        return is_later ? Outcome::kPushedBack : Outcome::kFailed;
      });
      continue;
    }
    const std::shared_ptr<net::Transport> transport =
        Must(net::MakeBeastTransport(std::move(options)));
    connections_.emplace_back([transport](const net::Request& request, std::string& failure) {
      const auto response = transport->Send(request, {.deadline = kDeadline}, StopToken());
      if (response && response->status == 200) return Outcome::kTaken;
      failure = response ? fmt::format("{} {}", response->status, response->body)
                         : response.error().message;
      const bool is_later = response && response->status == 429;
      return is_later ? Outcome::kPushedBack : Outcome::kFailed;
    });
  }
}

OtlpLoad::~OtlpLoad() = default;

Sent OtlpLoad::Send(const std::vector<net::Request>& requests) {
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> taken = 0;
  std::atomic<std::size_t> pushed_back = 0;
  std::mutex mutex;
  Sent sent;
  {
    std::vector<std::jthread> threads;
    threads.reserve(connections_.size());
    for (const Connection& connection : connections_) {
      threads.emplace_back([&] {
        std::string failure;
        for (std::size_t at = next++; at < requests.size(); at = next++) {
          Outcome outcome = connection(requests[at], failure);
          for (; outcome == Outcome::kPushedBack; outcome = connection(requests[at], failure)) {
            ++pushed_back;
            std::this_thread::sleep_for(kPause);
          }
          if (outcome == Outcome::kFailed) {
            const std::scoped_lock guard(mutex);
            sent.failure = failure;
            return;
          }
          ++taken;
        }
      });
    }
  }
  sent.taken = taken;
  sent.pushed_back = pushed_back;
  return sent;
}

}  // namespace tracekeeper::bench
