#include "src/analysis/api.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "src/analysis/api_answers.h"

namespace tracekeeper::analysis {
namespace {

using continuity::Family;

constexpr std::string_view kRoot = "/api/v1/";
constexpr std::string_view kTraces = "/api/v1/traces/";

net::Response Answer(int status, std::string body) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body), {}};
}

net::Response Problem(int status, std::string_view code, std::string_view message) {
  return Answer(status, ErrorJson(code, message));
}

net::Response Invalid(const Error& error) {
  return Problem(400, "invalid_argument", error.message);
}

Status CheckNames(std::string_view target, std::span<const std::string_view> known) {
  const std::size_t mark = target.find('?');
  std::string_view query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    const std::string_view name = pair.substr(0, pair.find('='));
    if (name.empty() || std::ranges::find(known, name) != known.end()) continue;
    if (known.empty()) return Fail(ErrorKind::kInvalid, "this page takes no parameters");
    return Fail(ErrorKind::kInvalid, "no parameter {}: this page takes {}",
                LabelText(name.substr(0, 40)), fmt::join(known, ", "));
  }
  return {};
}

std::optional<std::string> Parameter(std::string_view target, std::string_view name) {
  std::string value = net::QueryParameter(target, name);
  return value.empty() ? std::nullopt : std::optional(std::move(value));
}

template <typename Number>
Result<Number> NumberOf(std::string_view target, std::string_view name, Number fallback,
                        Number least, Number most) {
  const auto text = Parameter(target, name);
  if (!text) return fallback;
  Number number{};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  const bool is_number = error == std::errc() && end == text->data() + text->size();
  if (is_number && number >= least && number <= most) return number;
  return Fail(ErrorKind::kInvalid, "{} must be a number from {} to {}", name, least, most);
}

Result<std::optional<PolicyLabels>> PolicyOf(std::string_view target) {
  const auto text = Parameter(target, "policy");
  if (!text) return std::nullopt;
  if (text->find('/') == std::string::npos) {
    return Fail(ErrorKind::kInvalid, "policy must be NAMESPACE/NAME");
  }
  return PolicyLabelsOf(*text);
}

Result<Filter> FilterOf(std::string_view target) {
  constexpr std::string_view kKnown[] = {"policy", "service", "cause", "limit"};
  TRY(CheckNames(target, kKnown));
  Filter filter;
  filter.policy = TRY(PolicyOf(target));
  filter.service = Parameter(target, "service");
  filter.limit = TRY(NumberOf<std::size_t>(target, "limit", filter.limit, 1, Api::kMaxLimit));
  const auto cause = Parameter(target, "cause");
  if (!cause) return filter;
  filter.cause = continuity::FindCause(*cause);
  if (filter.cause) return filter;
  return Fail(ErrorKind::kInvalid,
              "no cause {}: tracekeeper explain cause lists all, by name and class",
              LabelText(cause->substr(0, 40)));
}

Result<Family> IndicatorOf(std::string_view target) {
  const auto name = Parameter(target, "indicator");
  if (!name) return Family::kHop;
  for (const Family family : {Family::kHop, Family::kRequest, Family::kInProcess, Family::kLog}) {
    if (NameOf(family) == *name) return family;
  }
  return Fail(ErrorKind::kInvalid, "indicator must be hop, request, in_process or logs");
}

Result<GateQuestion> QuestionOf(std::string_view target) {
  constexpr std::string_view kKnown[] = {"policy", "indicator", "min_ratio", "min_judged", "since"};
  constexpr std::uint64_t kMostJudged = 1'000'000'000;
  TRY(CheckNames(target, kKnown));
  GateQuestion question;
  question.policy = TRY(PolicyOf(target));
  question.indicator = TRY(IndicatorOf(target));
  question.min_ratio = TRY(NumberOf<double>(target, "min_ratio", question.min_ratio, 0, 1));
  question.min_judged =
      TRY(NumberOf<std::uint64_t>(target, "min_judged", question.min_judged, 1, kMostJudged));
  question.since = Parameter(target, "since").value_or("");
  return question;
}

std::optional<otlp::TraceId> TraceIdOf(std::string_view text) {
  constexpr std::size_t kHalf = 16;
  otlp::TraceId id;
  const auto read = [](std::string_view part, std::uint64_t& number) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number, 16);
    return error == std::errc() && end == part.data() + part.size();
  };
  if (text.size() != 2 * kHalf) return std::nullopt;
  const bool is_id = read(text.substr(0, kHalf), id.high) && read(text.substr(kHalf), id.low);
  return is_id ? std::optional(id) : std::nullopt;
}

}  // namespace

net::Response Api::Handle(const net::Request& request) const {
  const std::string_view target = request.target;
  if (target.size() > kMaxTargetBytes) {
    return Problem(414, "too_long",
                   fmt::format("path and query may have {} bytes together", kMaxTargetBytes));
  }
  const std::string_view path = net::PathOf(target);
  using Page = net::Response (Api::*)(std::string_view) const;
  Page page = nullptr;
  if (path == "/api/v1/edges") page = &Api::Edges;
  if (path == "/api/v1/breaks") page = &Api::Breaks;
  if (path == "/api/v1/gate") page = &Api::Gate;
  if (path == "/api/v1/health") page = &Api::Health;
  if (path.starts_with(kTraces)) page = &Api::Trace;
  const bool is_document = path == "/api/v1/openapi.json";
  if (page == nullptr && !is_document) {
    return Problem(404, "not_found",
                   fmt::format("no page {}: there are edges, breaks, traces/ID, gate, health and "
                               "openapi.json below {}",
                               LabelText(path.substr(0, 100)), kRoot));
  }
  if (request.method != "GET") {
    net::Response response = Problem(405, "method_not_allowed", "only GET is taken here");
    response.headers.Set("Allow", "GET");
    return response;
  }
  return is_document ? Answer(200, std::string(OpenApiJson())) : (this->*page)(target);
}

net::Response Api::Edges(std::string_view target) const {
  const auto filter = FilterOf(target);
  if (!filter) return Invalid(filter.error());
  return Answer(200, EdgesJson(*snapshots_(), *filter));
}

net::Response Api::Breaks(std::string_view target) const {
  const auto filter = FilterOf(target);
  if (!filter) return Invalid(filter.error());
  return Answer(200, BreaksJson(*snapshots_(), *filter));
}

net::Response Api::Trace(std::string_view target) const {
  const Status names = CheckNames(target, {});
  if (!names) return Invalid(names.error());
  const auto trace = TraceIdOf(net::PathOf(target).substr(kTraces.size()));
  if (!trace) {
    return Problem(400, "invalid_argument",
                   "a trace id has 32 hexadecimal digits: /api/v1/traces/"
                   "0af7651916cd43dd8448eb211c80319c");
  }
  auto json = TraceJson(*snapshots_(), *trace, traces_(*trace));
  if (json) return Answer(200, *std::move(json));
  return Problem(
      404, "not_found",
      "nothing is known of this trace: no span of it came here, or it was judged so long "
      "ago that it is out of mind");
}

net::Response Api::Gate(std::string_view target) const {
  const auto question = QuestionOf(target);
  if (!question) return Invalid(question.error());
  const auto answer = AnswerGate(*snapshots_(), *question);
  if (!answer) return Invalid(answer.error());
  return Answer(200, GateJson(*answer, *question));
}

net::Response Api::Health(std::string_view target) const {
  const Status names = CheckNames(target, {});
  if (!names) return Invalid(names.error());
  const auto snapshot = snapshots_();
  return Answer(snapshot->is_draining ? 503 : 200, HealthJson(*snapshot));
}

}  // namespace tracekeeper::analysis
