#pragma once
// Caller sends what Requests built: it adds who we are, counts, turns answers into errors, and
// decides whether a call is sent again. Client is made of it; nobody else uses it.
//
// Threads:  safe from any thread.
// Failure:  as Client says.

#include <string_view>

#include "src/kube/client.h"
#include "src/kube/request_metrics.h"
#include "src/kube/requests.h"

namespace tracekeeper::kube {

/// Takes the body of a successful answer as it arrives.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual Status OnBody(std::string_view bytes) = 0;
};

class Caller {
 public:
  Caller(Client::Options options, net::Transport& unary, net::Transport& streams,
         Credentials* credentials, const Clock& clock, Metrics& metrics);

  Result<std::string> Send(ApiCall call, const StopToken& stop);

  /// Repeats only while `sink` has seen nothing.
  Status Stream(ApiCall call, const net::CallOptions& options, BodySink& sink,
                const StopToken& stop);

  [[nodiscard]] const Client::Options& options() const { return options_; }

 private:
  class Attempts;

  /// Sets Authorization and User-Agent.
  void Sign(net::Request& request) const;

  const Client::Options options_;
  const std::string user_agent_;
  net::Transport& unary_;
  net::Transport& streams_;
  Credentials* const credentials_;
  const Clock& clock_;
  RequestMetrics metrics_;
};

}  // namespace tracekeeper::kube
