#include "src/otlp/retry_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/net/http.h"
#include "src/net/retry_after.h"
#include "src/otlp/export_response.h"

namespace tracekeeper::otlp {
namespace {

using Action = Verdict::Action;
using net::GrpcCode;

constexpr Duration kFirstWait = std::chrono::seconds(1);
constexpr Duration kLongestWait = std::chrono::seconds(30);
/// A backend may ask for more patience than our own backoff has, within reason.
constexpr Duration kLongestAskedWait = std::chrono::minutes(15);
constexpr std::size_t kQuoted = 200;

/// Foreign text for a sentence: short, one line.
std::string Quoted(std::string_view text) {
  std::string quoted(text.substr(0, kQuoted));
  std::replace_if(
      quoted.begin(), quoted.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return quoted;
}

std::string WithDetail(std::string sentence, std::string_view detail) {
  if (!detail.empty()) sentence.append(": ").append(Quoted(detail));
  return sentence;
}

Verdict Delivered(std::string_view response) {
  const auto partial = ReadPartialSuccess(response);
  if (!partial) return {};
  return {.rejected = static_cast<std::size_t>(partial->rejected),
          .why = WithDetail(partial->rejected > 0
                                ? fmt::format("the backend rejected {} records", partial->rejected)
                                : "the backend took all, with a warning",
                            partial->message)};
}

Verdict JudgeHttpStatus(const HttpAnswer& answer, Instant now) {
  const std::string sentence =
      WithDetail(fmt::format("HTTP {} {}", answer.status, net::ReasonPhrase(answer.status)),
                 ReadRpcStatusMessage(answer.body));
  switch (answer.status) {
    case 429:
    case 502:
    case 503:
    case 504:
      return {.action = Action::kRetry,
              .wait = net::ReadRetryAfter(answer.retry_after, now),
              .why = sentence};
    case 401:
    case 403:
    case 407:
      return {.action = Action::kRetry,
              .is_credential = true,
              .why = sentence + "; check export.auth and export.headers of the policy"};
    case 413:
      return {.action = Action::kSplit, .reason = DropReason::kTooLarge, .why = sentence};
    case 400:
    case 422:
      return {.action = Action::kSplit, .reason = DropReason::kRejected, .why = sentence};
    default:
      break;
  }
  if (answer.status >= 300 && answer.status < 400) {
    return {.action = Action::kRetry,
            .why = sentence +
                   "; redirects are not followed: name the final address in "
                   "export.endpoint"};
  }
  return {.action = Action::kDrop, .why = sentence};
}

Verdict JudgeHttp(const HttpAnswer& answer, Instant now) {
  // An OTLP receiver never speaks HTML, whatever the status: a proxy, ingress or login page does.
  if (answer.content_type.starts_with("text/html")) {
    return {.action = Action::kRetry,
            .wait = net::ReadRetryAfter(answer.retry_after, now),
            .why = fmt::format("HTTP {} with an HTML page: something in front of the backend "
                               "answers, or export.endpoint is no OTLP receiver",
                               answer.status)};
  }
  if (answer.status >= 200 && answer.status < 300) {
    const bool is_protobuf = answer.content_type.starts_with("application/x-protobuf");
    return is_protobuf ? Delivered(answer.body) : Verdict{};
  }
  return JudgeHttpStatus(answer, now);
}

Verdict JudgeExhausted(const GrpcAnswer& answer, const std::string& sentence) {
  if (const auto delay = ReadRetryInfo(answer.status.details_base64)) {
    return {.action = Action::kRetry, .wait = delay, .why = sentence};
  }
  // Both large gRPC libraries say this of a message over the server's limit.
  if (answer.status.message.find("larger than max") != std::string::npos) {
    return {.action = Action::kSplit, .reason = DropReason::kTooLarge, .why = sentence};
  }
  return {.action = Action::kDrop, .why = sentence};
}

Verdict JudgeGrpc(const GrpcAnswer& answer, Instant now) {
  const GrpcCode code = answer.status.code;
  if (code == GrpcCode::kOk) return Delivered(answer.message);
  const std::string sentence =
      WithDetail(fmt::format("gRPC {}", net::NameOf(code)), answer.status.message);
  switch (code) {
    case GrpcCode::kCancelled:
    case GrpcCode::kDeadlineExceeded:
    case GrpcCode::kAborted:
    case GrpcCode::kOutOfRange:
    case GrpcCode::kUnavailable:
    case GrpcCode::kDataLoss: {
      auto wait = ReadRetryInfo(answer.status.details_base64);
      if (!wait) wait = net::ReadRetryAfter(answer.retry_after, now);
      return {.action = Action::kRetry, .wait = wait, .why = sentence};
    }
    case GrpcCode::kResourceExhausted:
      return JudgeExhausted(answer, sentence);
    case GrpcCode::kUnauthenticated:
    case GrpcCode::kPermissionDenied:
      return {.action = Action::kRetry,
              .is_credential = true,
              .why = sentence + "; check export.auth and export.headers of the policy"};
    case GrpcCode::kInvalidArgument:
      return {.action = Action::kSplit, .reason = DropReason::kRejected, .why = sentence};
    default:
      return {.action = Action::kDrop, .why = sentence};
  }
}

Verdict JudgeSilence(const NoAnswer& silence) {
  return {.action = Action::kRetry,
          .wait = silence.error.retry_after,
          .why = Quoted(silence.error.message)};
}

}  // namespace

Verdict Judge(const Answer& answer, Instant now) {
  if (const auto* http = std::get_if<HttpAnswer>(&answer)) return JudgeHttp(*http, now);
  if (const auto* grpc = std::get_if<GrpcAnswer>(&answer)) return JudgeGrpc(*grpc, now);
  return JudgeSilence(std::get<NoAnswer>(answer));
}

Duration WaitBefore(const Verdict& verdict, unsigned attempt, double random) {
  constexpr unsigned kDoublings = 5;  // 32 s is over the cap
  const Duration ceiling =
      std::min(kFirstWait * (1U << std::min(attempt, kDoublings)), kLongestWait);
  const auto jittered = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double, std::nano>(static_cast<double>(ceiling.count()) * random));
  if (!verdict.wait) return jittered;
  // Not before the backend asked for it, and not everybody at that very moment.
  return std::min(*verdict.wait, kLongestAskedWait) + std::min(jittered, *verdict.wait / 10);
}

}  // namespace tracekeeper::otlp
