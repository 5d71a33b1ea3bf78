#pragma once
// ScriptedTransport answers calls from a script, in order, and records what was asked. It is for
// exchanges that a server would never make on demand: a body that stops half way, a header that
// lies, a connection that breaks after the request.
//
//   ScriptedTransport transport;
//   transport.Answer({.status = 429, .headers = {{"Retry-After", "2"}}});
//   transport.Answer({.pieces = {R"({"kind":"Pod",)", R"("metadata":{"name":"a"}})"}});
//   ... one call that is repeated ...
//   EXPECT_EQ(transport.requests().size(), 2U);
//
// Threads:  safe from any thread.
// Owner:    the test.
// Failure:  a call without an answer left is kInternal, "the script has no answer for GET /...".
// Time:     none of its own: `before` runs before an answer and may move a ManualClock on.

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "src/net/transport.h"

namespace tracekeeper::test_support {

struct ScriptedAnswer {
  int status = 200;
  net::Headers headers = {};
  /// The body, in the pieces that a stream sees it in.
  std::vector<std::string> pieces = {};
  /// Instead of an answer, or after `pieces` of a stream: how the call breaks.
  std::optional<Error> error = {};
  /// The answer is sent only to requests that start with this ("GET /api/v1/pods"); another
  /// request is a failure of the script. Empty: any.
  std::string expect = {};
  std::function<void()> before = {};
};

class ScriptedTransport final : public net::Transport {
 public:
  void Answer(ScriptedAnswer answer);
  /// A JSON body with status 200.
  void AnswerJson(std::string body);

  [[nodiscard]] std::vector<net::Request> requests() const;
  /// Answers that nobody has asked for yet.
  [[nodiscard]] std::size_t left() const;

  Result<net::Response> Send(const net::Request& request, const net::CallOptions& options,
                             const StopToken& stop) override;
  Status Stream(const net::Request& request, net::StreamSink& sink, const net::CallOptions& options,
                const StopToken& stop) override;

 private:
  Result<ScriptedAnswer> Next(const net::Request& request, const StopToken& stop);

  mutable std::mutex mutex_;
  std::deque<ScriptedAnswer> answers_;
  std::vector<net::Request> requests_;
};

}  // namespace tracekeeper::test_support
