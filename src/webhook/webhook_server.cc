#include "src/webhook/webhook_server.h"

#include <exception>

namespace tracekeeper::webhook {
namespace {

// From 50 us: an admission takes far less than the milliseconds of ordinary HTTP buckets.
const std::vector<double> kLatencyBounds = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                            0.01,    0.025,  0.05,    0.1,    0.25,  0.5,    1.0};
constexpr int kCodes[] = {200, 400, 405, 415, 500};
// More parsers than server threads are never idle at once; a burst's extra ones are let go.
constexpr std::size_t kMaxIdleParsers = 16;

net::Response PlainText(int status, std::string body) {
  body += '\n';
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

bool IsJson(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return type == "application/json";
}

}  // namespace

struct Webhooks::Route {
  Route(Metrics& metrics, const std::string& path, AdmissionFunction decide)
      : function(std::move(decide)),
        in_flight(metrics.MakeGauge("controller_runtime_webhook_requests_in_flight",
                                    "Admission requests being served now", {{"webhook", path}})),
        latency(metrics.MakeHistogram("controller_runtime_webhook_latency_seconds",
                                      "Time to answer an admission request", {{"webhook", path}},
                                      kLatencyBounds)),
        panics(metrics.MakeCounter("controller_runtime_webhook_panics_total",
                                   "Admission functions that threw", {{"webhook", path}})) {
    for (const int code : kCodes) {
      requests.emplace(code,
                       &metrics.MakeCounter("controller_runtime_webhook_requests_total",
                                            "Admission requests by HTTP status",
                                            {{"webhook", path}, {"code", std::to_string(code)}}));
    }
  }

  AdmissionFunction function;
  Gauge& in_flight;
  Histogram& latency;
  Counter& panics;
  std::map<int, Counter*> requests;
};

Webhooks::Webhooks(const Clock& clock, Metrics& metrics, Logger log)
    : clock_(clock), metrics_(metrics), log_(std::move(log)) {}

Webhooks::~Webhooks() = default;

void Webhooks::Register(std::string path, AdmissionFunction function) {
  auto route = std::make_unique<Route>(metrics_, path, std::move(function));
  routes_.insert_or_assign(std::move(path), std::move(route));
}

net::Response Webhooks::Handle(const net::Request& request) {
  const auto found = routes_.find(net::PathOf(request.target));
  if (found == routes_.end()) return PlainText(404, "no webhook is served at this path");

  Route& route = *found->second;
  const MonotonicTime start = clock_.Monotonic();
  route.in_flight.Add(1);
  net::Response response = Review(route, request);
  route.in_flight.Add(-1);
  route.requests.at(response.status)->Increment();
  route.latency.Observe(std::chrono::duration<double>(clock_.Monotonic() - start).count());
  return response;
}

net::Response Webhooks::Review(Route& route, const net::Request& request) {
  if (request.method != "POST") {
    return PlainText(405, "method " + request.method + " is not served here: POST a review");
  }
  if (!IsJson(request.headers.Get("Content-Type"))) {
    return PlainText(415, "Content-Type must be application/json");
  }
  std::unique_ptr<codec::JsonParser> parser;
  {
    const std::scoped_lock lock(parsers_mutex_);
    if (!idle_parsers_.empty()) {
      parser = std::move(idle_parsers_.back());
      idle_parsers_.pop_back();
    }
  }
  if (parser == nullptr) parser = std::make_unique<codec::JsonParser>();
  net::Response response = Decide(route, request.body, *parser);

  const std::scoped_lock lock(parsers_mutex_);
  if (idle_parsers_.size() < kMaxIdleParsers) idle_parsers_.push_back(std::move(parser));
  return response;
}

net::Response Webhooks::Decide(Route& route, std::string_view body, codec::JsonParser& parser) {
  const auto review = parser.Parse(body);
  if (!review) return PlainText(400, "the body is not JSON: " + review.error().message);
  const auto request = ReadAdmissionReview(*review);
  if (!request) return PlainText(400, request.error().message);
  try {
    const AdmissionResponse answer = route.function(*request);
    return {200, {{"Content-Type", "application/json"}}, WriteAdmissionReview(*request, answer)};
  } catch (const std::exception& exception) {
    // The one place where a bug in a decision may surface: it must cost one answer, not the server.
    route.panics.Increment();
    log_.Error("Admission function threw", {{"uid", request->uid}, {"error", exception.what()}});
    return PlainText(500, "internal error; the operator's log has the request's uid");
  }
}

}  // namespace tracekeeper::webhook
