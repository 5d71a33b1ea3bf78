#pragma once
// Our own server on a free port of this machine, with its log lines kept.

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "src/base/log.h"
#include "src/net/server.h"
#include "src/net/transports.h"

namespace tracekeeper::net {

class TestServer {
 public:
  using Make = std::unique_ptr<Server> (*)(ServerOptions, Handler, const Logger&);

  /// Starts at once; throws when it cannot.
  explicit TestServer(Handler handler, ServerOptions options = {}, Make make = &MakeBeastServer)
      : log_(LogLevel::kDebug, [this](LogLevel, std::string_view line) { Keep(line); }),
        is_tls_(options.tls != nullptr),
        server_(make(std::move(options), std::move(handler), Logger(log_))) {
    if (const Status started = server_->Start(); !started) {
      throw std::runtime_error(started.error().message);
    }
  }

  Server* operator->() { return server_.get(); }

  [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const {
    return (is_tls_ ? "https://" : "http://") + host + ":" + std::to_string(server_->port());
  }

  [[nodiscard]] bool HasLogged(std::string_view text) const {
    const std::lock_guard lock(mutex_);
    return lines_.find(text) != std::string::npos;
  }

 private:
  void Keep(std::string_view line) {
    const std::lock_guard lock(mutex_);
    lines_.append(line).append("\n");
  }

  mutable std::mutex mutex_;
  std::string lines_;
  Log log_;
  bool is_tls_;
  std::unique_ptr<Server> server_;
};

/// Answers with the method, target, headers "X-Echo" and the body of the request.
inline Response Echo(const Request& request) {
  Response response;
  response.headers.Add("Content-Type", "text/plain");
  response.headers.Add("X-Method", request.method);
  response.headers.Add("X-Target", request.target);
  response.headers.Add("X-Echo", request.headers.Get("X-Echo"));
  response.body = request.body;
  return response;
}

}  // namespace tracekeeper::net
