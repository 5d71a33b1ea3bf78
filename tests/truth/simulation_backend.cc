// The programs behind the frontend: checkout with its goroutines and its pool of workers, the
// services it calls, and those that consume its messages.

#include <algorithm>
#include <utility>

#include "tests/truth/simulation_shop.h"

namespace tracekeeper::truth {
namespace {

// A worker keeps the context that it was started in. For this long nobody takes it for stale: the
// request that started it may still be at work.
constexpr Moment kStaleAfter = 15 * kSecond;
constexpr Moment kWorkerLife = 90 * kSecond;

}  // namespace

void Shop::Orders(Thread& thread, const Context& request) {
  runtime_.Log(thread, request);
  ReserveStock(thread, request);
  PriceAndTax(thread, request);
  network_.Call(thread, request,
                {.callee = ServiceName::kPayment, .method = "POST", .route = "/charges"},
                [this](Thread& server, const Context& call) { Charge(server, call); });
  network_.Query(thread, request, "INSERT INTO orders");
  orders_.Publish(thread, request);
  UpdateLoyalty(thread, request);
  RenderInvoice(thread, request);
  runtime_.Work(thread, request, 6 * kMillisecond, 12 * kMillisecond);
  runtime_.Log(thread, request);
}

void Shop::ReserveStock(Thread& thread, const Context& context) {
  const Context reserve = runtime_.Start(thread, context, {.name = "reserve stock"});
  if (runtime_.Strikes(Fault::kLeakedSpan, reserve)) {
    runtime_.Leak(reserve, Loss::kNotEnded);
  }
  runtime_.Log(thread, reserve);
  network_.Call(thread, reserve,
                {.callee = ServiceName::kInventory, .method = "POST", .route = "/reservations"},
                [this](Thread& server, const Context& call) { Stock(server, call); });
  network_.Query(thread, reserve, "UPDATE reservations");
  runtime_.End(thread, reserve);
}

void Shop::PriceAndTax(Thread& thread, const Context& context) {
  Thread pricing = thread;
  const Context price = runtime_.Start(pricing, context, {.name = "price"});
  runtime_.Work(pricing, price, kMillisecond, 6 * kMillisecond);
  runtime_.End(pricing, price);

  Thread taxing = thread;
  SpanSpec tax{.name = "tax"};
  const bool overwritten =
      !Runtime::Cancelled(taxing, context) && runtime_.Strikes(Fault::kKeyOverwrite, context);
  if (overwritten) {
    tax.ids = price.span;  // both keep their ids under one key
  }
  const Context taxed = runtime_.Start(taxing, context, std::move(tax));
  runtime_.Work(taxing, taxed, 2 * kMillisecond, 8 * kMillisecond);
  runtime_.End(taxing, taxed);
  if (overwritten) {
    runtime_.Plant("span_id_collision", taxed, price.record);
  }
  thread.now = std::max(pricing.now, taxing.now);
}

void Shop::UpdateLoyalty(const Thread& thread, const Context& context) {
  if (Runtime::Cancelled(thread, context)) {
    return;
  }
  const bool lost = runtime_.Strikes(Fault::kGoroutineWithoutContext, context);
  const Context given = Runtime::WithoutCancel(lost ? Runtime::WithoutSpan(context) : context);
  runtime_.scheduler().At(thread.now + 200 * kMicrosecond, [this, instance = thread.instance,
                                                            given](Moment now) {
    Thread goroutine{instance, now};
    const Context update = runtime_.Start(goroutine, given, {.name = "update loyalty"});
    runtime_.Work(goroutine, update, kMillisecond, 20 * kMillisecond);
    network_.Call(
        goroutine, update,
        {.callee = ServiceName::kRecommendation, .method = "Add", .grpc_service = "shop.Loyalty"},
        [this](Thread& server, const Context& call) {
          network_.Query(server, call, "UPDATE loyalty");
        });
    runtime_.End(goroutine, update);
  });
}

void Shop::RenderInvoice(const Thread& thread, const Context& context) {
  if (Runtime::Cancelled(thread, context)) {
    return;
  }
  Context given = Runtime::WithoutCancel(context);
  Worker& worker = workers_[thread.instance];
  const bool old = worker.since != 0 && thread.now > worker.since + kStaleAfter;
  const bool stale = old && runtime_.Strikes(Fault::kStaleWorker, context);
  if (stale) {
    given = worker.context;
    given.journey = context.journey;
  } else if (worker.since == 0 || thread.now > worker.since + kWorkerLife) {
    worker = {given, thread.now};
  }
  runtime_.scheduler().At(thread.now + 300 * kMicrosecond, [this, instance = thread.instance, given,
                                                            stale](Moment now) {
    Thread goroutine{instance, now};
    const Context render = runtime_.Start(goroutine, given, {.name = "render invoice"});
    if (stale) {
      runtime_.Plant("mixed_traces", render, given.record);
    }
    runtime_.Work(goroutine, render, 5 * kMillisecond, 60 * kMillisecond);
    network_.Query(goroutine, render, "INSERT INTO invoices");
    runtime_.End(goroutine, render);
  });
}

void Shop::Charge(Thread& thread, const Context& request) {
  runtime_.Log(thread, request);
  Step(thread, request, "check card", kMillisecond, 4 * kMillisecond);
  network_.ThirdParty(thread, request, "Charge");
  network_.Query(thread, request, "INSERT INTO charges");
}

void Shop::Stock(Thread& thread, const Context& request) {
  runtime_.Log(thread, request);
  network_.Cache(thread, request, "GET");
  network_.Query(thread, request, "SELECT * FROM stock");
}

void Shop::Recommend(Thread& thread, const Context& request) {
  const Context ranking = runtime_.Start(thread, request, {.name = "rank"});
  network_.Query(thread, ranking, "SELECT * FROM products");
  runtime_.Work(thread, ranking, 2 * kMillisecond, 40 * kMillisecond);
  runtime_.End(thread, ranking);
}

void Shop::Pack(Thread& thread, const Context& message) {
  runtime_.Log(thread, message);
  const Context packing = runtime_.Start(thread, message, {.name = "pack"});
  for (int line = 0; line < 4; ++line) {  // a person does it
    runtime_.Work(thread, packing, 500 * kMillisecond, 2500 * kMillisecond);
    network_.Query(thread, packing, "UPDATE lines");
  }
  runtime_.End(thread, packing);
}

void Shop::Count(Thread& thread, const Context& message) {
  runtime_.Work(thread, message, 500 * kMicrosecond, 3 * kMillisecond);
  network_.Query(thread, message, "INSERT INTO facts");
}

void Shop::Mail(Thread& thread, const Context& message) {
  Step(thread, message, "send mail", 10 * kMillisecond, 50 * kMillisecond);
  runtime_.Log(thread, message);
}

}  // namespace tracekeeper::truth
