#include "tests/support/scripted_transport.h"

#include <fmt/core.h>

namespace tracekeeper::test_support {

void ScriptedTransport::Answer(ScriptedAnswer answer) {
  const std::lock_guard lock(mutex_);
  answers_.push_back(std::move(answer));
}

void ScriptedTransport::AnswerJson(std::string body) { Answer({.pieces = {std::move(body)}}); }

std::vector<net::Request> ScriptedTransport::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t ScriptedTransport::left() const {
  const std::lock_guard lock(mutex_);
  return answers_.size();
}

Result<ScriptedAnswer> ScriptedTransport::Next(const net::Request& request, const StopToken& stop) {
  const std::string line = fmt::format("{} {}", request.method, request.target);
  ScriptedAnswer answer;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (stop.stop_requested()) return Fail(ErrorKind::kCancelled, "{}: stopped", line);
    if (answers_.empty()) {
      return Fail(ErrorKind::kInternal, "the script has no answer for {}", line);
    }
    if (!line.starts_with(answers_.front().expect)) {
      return Fail(ErrorKind::kInternal, "the script expects {}, not {}", answers_.front().expect,
                  line);
    }
    answer = std::move(answers_.front());
    answers_.pop_front();
  }
  if (answer.before) answer.before();
  return answer;
}

Result<net::Response> ScriptedTransport::Send(const net::Request& request,
                                              const net::CallOptions& options,
                                              const StopToken& stop) {
  ScriptedAnswer answer = TRY(Next(request, stop));
  if (answer.error) return Fail(std::move(*answer.error));
  net::Response response{.status = answer.status, .headers = std::move(answer.headers)};
  for (const std::string& piece : answer.pieces) response.body += piece;
  if (response.body.size() > options.body_limit) {
    return Fail(ErrorKind::kDecode, "the body has more than {} bytes", options.body_limit);
  }
  return response;
}

Status ScriptedTransport::Stream(const net::Request& request, net::StreamSink& sink,
                                 const net::CallOptions& /*options*/, const StopToken& stop) {
  ScriptedAnswer answer = TRY(Next(request, stop));
  if (answer.error && answer.pieces.empty()) return Fail(std::move(*answer.error));
  TRY(sink.OnHead(answer.status, answer.headers));
  for (const std::string& piece : answer.pieces) TRY(sink.OnBytes(piece));
  if (answer.error) return Fail(std::move(*answer.error));
  return {};
}

}  // namespace tracekeeper::test_support
