// The frontend's programs: pages that call several services at once, and things done beside and
// after a page.

#include <algorithm>
#include <optional>

#include "tests/truth/simulation_shop.h"

namespace tracekeeper::truth {
namespace {

constexpr std::string_view kFramework = "@opentelemetry/instrumentation-express";

SpanSpec RequestHandler(std::string_view route) {
  return {.name = "request handler - " + std::string(route), .scope = kFramework};
}

}  // namespace

void Shop::Products(Thread& thread, const Context& request) {
  const Context handler = runtime_.Start(thread, request, RequestHandler("/products"));
  ReadSession(thread, handler);
  network_.Cache(thread, handler, "GET");

  Thread recommending = thread;
  const CallSpec recommendations{.callee = ServiceName::kRecommendation,
                                 .method = "List",
                                 .grpc_service = "shop.Recommendation"};
  network_.Call(recommending, handler, recommendations,
                [this](Thread& server, const Context& call) { Recommend(server, call); });
  Thread counting = thread;
  const CallSpec stock{.callee = ServiceName::kInventory, .route = "/stock", .names_peer = true};
  network_.Call(counting, handler, stock,
                [this](Thread& server, const Context& call) { Stock(server, call); });
  SendEvent(thread, handler);
  thread.now = std::max(recommending.now, counting.now);

  Step(thread, handler, "render", kMillisecond, 20 * kMillisecond);
  runtime_.Log(thread, request);
  runtime_.End(thread, handler);
  FlushSession(thread, request);
}

void Shop::Checkout(Thread& thread, const Context& request) {
  const Context handler = runtime_.Start(thread, request, RequestHandler("/checkout"));
  const bool replaced = runtime_.Strikes(Fault::kContextReplaced, request);
  const Context context = replaced ? Runtime::WithoutSpan(handler) : handler;
  ReadSession(thread, context);
  const Context validation = runtime_.Start(thread, context, {.name = "validate cart"});
  network_.Cache(thread, validation, "HGETALL");
  runtime_.Work(thread, validation, kMillisecond, 8 * kMillisecond);
  if (runtime_.Strikes(Fault::kUnfinishedSent, validation)) {
    runtime_.SendUnfinished(thread, validation);
  } else {
    runtime_.End(thread, validation);
  }
  network_.Call(thread, context,
                {.callee = ServiceName::kCheckout, .method = "POST", .route = "/orders"},
                [this](Thread& server, const Context& call) { Orders(server, call); });
  SendEvent(thread, context);
  runtime_.Log(thread, request);
  runtime_.Work(thread, handler, kMillisecond, 5 * kMillisecond);
  runtime_.End(thread, handler);
  FlushSession(thread, request);
}

void Shop::History(Thread& thread, const Context& request) {
  const Context handler = runtime_.Start(thread, request, RequestHandler("/orders"));
  ReadSession(thread, handler);
  network_.Query(thread, handler, "SELECT * FROM orders");
  network_.Query(thread, handler, "SELECT * FROM lines");
  runtime_.Log(thread, request);
  runtime_.End(thread, handler);
}

void Shop::Prices(Thread& thread, const Context& request) {
  const Context handler = runtime_.Start(thread, request, RequestHandler("/prices"));
  const Context stream = runtime_.Start(thread, handler, {.name = "stream prices"});
  if (runtime_.Strikes(Fault::kLeakedStream, stream)) {
    runtime_.Leak(stream, Loss::kStream);
  }
  runtime_.Log(thread, stream);
  const std::uint64_t ticks = runtime_.random().Between(12, 20);
  for (std::uint64_t tick = 0; tick < ticks; ++tick) {
    runtime_.Work(thread, stream, 1200 * kMillisecond, 1800 * kMillisecond);
    const Context push = runtime_.Start(thread, stream, {.name = "push prices"});
    network_.Cache(thread, push, "MGET");
    runtime_.End(thread, push);
  }
  runtime_.End(thread, stream);
  runtime_.End(thread, handler);
}

void Shop::ReadSession(Thread& thread, const Context& context) {
  SpanSpec span{.name = "read session"};
  if (context.span.valid() && !Runtime::Cancelled(thread, context) &&
      runtime_.Strikes(Fault::kZeroId, context)) {
    // The context held a span that was never started: one of its ids was never set.
    SpanContext ids = context.span;
    ids.parent = context.span.span;
    ids.span = runtime_.random().Next() | 1U;
    if (runtime_.random().Chance(0.5)) {
      ids.trace_high = ids.trace_low = 0;
    } else {
      ids.span = 0;
    }
    span.ids = ids;
  }
  const bool zero = span.ids.has_value();
  const Context session = runtime_.Start(thread, context, std::move(span));
  runtime_.Work(thread, session, 300 * kMicrosecond, 2 * kMillisecond);
  runtime_.End(thread, session);
  if (zero) {
    runtime_.Plant("invalid_id", session);
  }
}

void Shop::FlushSession(Thread& thread, const Context& request) {
  const bool late =
      !Runtime::Cancelled(thread, request) && runtime_.Strikes(Fault::kWorkAfterReply, request);
  if (!late) {
    Step(thread, request, "flush session", 300 * kMicrosecond, 3 * kMillisecond);
    return;
  }
  // The server's span ends when its handler does, which is now.
  const Moment soon = thread.now + runtime_.random().Between(5 * kMillisecond, 200 * kMillisecond);
  runtime_.scheduler().At(soon, [this, instance = thread.instance,
                                 context = Runtime::WithoutCancel(request)](Moment now) {
    Thread worker{instance, now};
    const Context flush = runtime_.Start(worker, context, {.name = "flush session"});
    runtime_.Work(worker, flush, 300 * kMicrosecond, 3 * kMillisecond);
    runtime_.End(worker, flush);
    runtime_.Plant("work_after_reply", flush, context.record);
  });
}

void Shop::SendEvent(const Thread& thread, const Context& context) {
  if (Runtime::Cancelled(thread, context)) {
    return;
  }
  const bool lost = context.span.valid() && runtime_.Strikes(Fault::kClientWithoutContext, context);
  const Context given = Runtime::WithoutCancel(lost ? Runtime::WithoutSpan(context) : context);
  runtime_.scheduler().At(thread.now + 100 * kMicrosecond, [this, instance = thread.instance,
                                                            given](Moment now) {
    Thread goroutine{instance, now};
    const CallSpec events{.callee = ServiceName::kAnalytics, .method = "POST", .route = "/events"};
    network_.CallOnce(goroutine, given, events, [this](Thread& server, const Context& call) {
      runtime_.Work(server, call, kMillisecond, 4 * kMillisecond);
    });
  });
}

}  // namespace tracekeeper::truth
