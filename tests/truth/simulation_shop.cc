#include "tests/truth/simulation_shop.h"

#include <algorithm>
#include <utility>

namespace tracekeeper::truth {
namespace {

// The one that is in everybody's clipboard: the example of the W3C's recommendation.
constexpr std::string_view kPartnerTraceparent =
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr std::string_view kBrowser = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";
constexpr std::size_t kStockPage = 1;

}  // namespace

Shop::Shop(Runtime& runtime)
    : runtime_(runtime),
      network_(runtime),
      orders_(runtime, network_, "orders"),
      stop_(kStartOfTime +
            static_cast<std::uint64_t>(runtime.options().duration.count()) * kSecond) {
  const auto program = [this](auto member) {
    return [this, member](Thread& thread, const Context& context) {
      (this->*member)(thread, context);
    };
  };
  constexpr auto kFrontend = ServiceName::kFrontend;
  pages_ = {
      {"GET", "/products", Forward(kFrontend, "GET", "/products", program(&Shop::Products))},
      {"GET", "/api/stock/{sku}",
       Forward(ServiceName::kInventory, "GET", "/stock/{sku}", program(&Shop::Stock))},
      {"POST", "/checkout", Forward(kFrontend, "POST", "/checkout", program(&Shop::Checkout))},
      {"GET", "/orders", Forward(kFrontend, "GET", "/orders", program(&Shop::History))},
      {"GET", "/prices",
       Forward(kFrontend, "GET", "/prices", program(&Shop::Prices), 60 * kSecond)}};
  shares_ = {35, 15, 40, 6, 4};
  orders_.Push(ServiceName::kFulfilment, program(&Shop::Pack));
  orders_.Poll(ServiceName::kAnalytics, 250 * kMillisecond, stop_ + 10 * kSecond,
               program(&Shop::Count));
  orders_.Batch(ServiceName::kNotification, 2 * kSecond, stop_ + 10 * kSecond,
                program(&Shop::Mail));
}

void Shop::Run() {
  ScheduleLogs();
  ScheduleRequests();
  if (runtime_.options().probes) {
    ScheduleProbes();
  }
  if (runtime_.options().background) {
    ScheduleBackground();
  }
  if (runtime_.options().long_traces) {
    ScheduleWorkflows();
  }
  runtime_.scheduler().Run();
}

void Shop::ScheduleRequests() {
  const double rate = std::max(runtime_.options().requests_per_second, 0.001);
  const auto pause = static_cast<Moment>(static_cast<double>(kSecond) / rate);
  for (Moment next = kStartOfTime + kSecond; next < stop_;
       next += 1 + runtime_.random().Below(2 * pause)) {
    runtime_.scheduler().At(next, [this](Moment now) { Request(now); });
  }
}

void Shop::Request(Moment now) {
  const Page& page = PickPage();
  if (runtime_.random().Chance(runtime_.options().load_generator_share)) {
    FromLoadGenerator(page, now);
  } else {
    FromBrowser(page, now);
  }
}

const Shop::Page& Shop::PickPage() {
  std::uint64_t ticket = runtime_.random().Below(100);
  std::size_t page = 0;
  while (ticket >= shares_[page]) {
    ticket -= shares_[page++];
  }
  return pages_[page];
}

void Shop::FromLoadGenerator(const Page& page, Moment now) {
  Thread thread{runtime_.PickInstance(ServiceName::kLoadGenerator), now};
  const CallSpec call{.callee = ServiceName::kGateway,
                      .method = page.method,
                      .route = page.route,
                      .timeout = 60 * kSecond};
  network_.CallOnce(thread, runtime_.Background(), call, page.gateway);
}

Context Shop::Serve(const Page& page, const Wire& wire, Moment now) {
  Context user;
  user.journey = wire.journey;
  Thread thread{network_.Route(ServiceName::kGateway, user), now};
  const CallSpec call{.callee = ServiceName::kGateway, .method = page.method, .route = page.route};
  return network_.Serve(thread, wire, call, kBrowser, page.gateway).span;
}

void Shop::FromBrowser(const Page& page, Moment now) {
  const Context user = runtime_.Background();
  if (runtime_.Strikes(Fault::kRepeatedTraceparent, user)) {
    FromPartner(now);
    return;
  }
  if (runtime_.Strikes(Fault::kCorrelationId, user)) {
    PageOfTwo(page, user, now);
    return;
  }
  Wire wire;
  wire.journey = user.journey;
  if (!scopes_.empty() && runtime_.Strikes(Fault::kLeakedScope, user)) {
    const auto [instance, scope] = *scopes_.begin();
    wire.open_scope = scope;
    Thread thread{instance, now};
    const CallSpec call{
        .callee = ServiceName::kGateway, .method = page.method, .route = page.route};
    const Context span = network_.Serve(thread, wire, call, kBrowser, page.gateway).span;
    runtime_.Plant("mixed_traces", span, scope.record);
    return;
  }
  if (runtime_.random().Chance(runtime_.options().foreign_share)) {
    InjectW3c({.trace_high = runtime_.random().Next(),
               .trace_low = runtime_.random().Next(),
               .span = runtime_.random().Next() | 1U,
               .flags = 1},
              wire.headers);
  }
  if (runtime_.Strikes(Fault::kCancelledWithParent, user)) {
    wire.deadline = now + runtime_.random().Between(5 * kMillisecond, 60 * kMillisecond);
  }
  const bool lost = runtime_.Strikes(Fault::kTraceLost, user);
  const Context span = Serve(page, wire, now);
  if (lost) {
    runtime_.ledger().lost_traces.insert(TraceIdBytes(span.span));
  }
}

void Shop::FromPartner(Moment now) {
  Context partner = runtime_.Background();
  partner.journey->struck = true;
  Wire wire;
  wire.journey = partner.journey;
  wire.headers["traceparent"] = kPartnerTraceparent;
  const Context span = Serve(pages_[kStockPage], wire, now);
  runtime_.ledger().repeated[std::string(kPartnerTraceparent)].push_back(span.record);
}

void Shop::PageOfTwo(const Page& page, const Context& user, Moment now) {
  Wire wire;
  wire.journey = user.journey;
  std::string& correlation = wire.headers[std::string(kCorrelationHeader)];
  for (int i = 0; i < 32; ++i) {
    correlation += "123456789abcdef"[runtime_.random().Below(15)];
  }
  const Context first = Serve(page, wire, now);
  const Moment later = now + runtime_.random().Between(40 * kMillisecond, 300 * kMillisecond);
  runtime_.scheduler().At(later, [this, wire, first](Moment then) {
    const Context second = Serve(pages_[kStockPage], wire, then);
    runtime_.Plant("fragments", second, first.record);
  });
}

Handler Shop::Forward(ServiceName callee, std::string method, std::string route, Handler handler,
                      Moment timeout) {
  CallSpec call{.callee = callee,
                .method = std::move(method),
                .route = std::move(route),
                .names_peer = callee == ServiceName::kInventory,
                .timeout = timeout};
  return [this, call = std::move(call), handler = std::move(handler)](Thread& thread,
                                                                      const Context& request) {
    runtime_.Log(thread, request);
    const Context routing = runtime_.Start(thread, request, {.name = "route request"});
    runtime_.Work(thread, routing, 100 * kMicrosecond, kMillisecond);
    runtime_.End(thread, routing);
    if (routing.record != kNoSpan) {
      scopes_.insert_or_assign(thread.instance, Runtime::WithoutCancel(routing));
    }
    network_.Call(thread, request, call, handler);
    runtime_.Work(thread, request, 100 * kMicrosecond, kMillisecond);
  };
}

void Shop::Step(Thread& thread, const Context& context, std::string_view name, Moment least,
                Moment most) {
  const Context step = runtime_.Start(thread, context, {.name = std::string(name)});
  runtime_.Work(thread, step, least, most);
  runtime_.End(thread, step);
}

}  // namespace tracekeeper::truth
