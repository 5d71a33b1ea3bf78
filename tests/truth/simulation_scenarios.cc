// The eight boundary cases of goroutines, as small programs: a request comes to the gateway, which
// asks checkout, which does what the case is about and asks payment.

#include <algorithm>
#include <utility>

#include "tests/truth/simulation_export.h"
#include "tests/truth/simulation_network.h"
#include "tests/truth/simulation_runtime.h"

namespace tracekeeper::truth {
namespace {

constexpr int kRequests = 12;
constexpr Moment kPause = 3 * kSecond;

/// Of every three requests, the first is done right and the others as the case says.
enum class Turn { kRight, kFirst, kSecond };

class GoroutineProgram {
 public:
  GoroutineProgram(Runtime& runtime, GoroutineCase which)
      : runtime_(runtime), network_(runtime), which_(which) {}

  void Run() {
    for (int i = 0; i < kRequests; ++i) {
      const Moment moment = kStartOfTime + kSecond + static_cast<Moment>(i) * kPause;
      runtime_.scheduler().At(
          moment, [this, turn = static_cast<Turn>(i % 3)](Moment now) { Request(turn, now); });
    }
    runtime_.scheduler().Run();
  }

 private:
  void Request(Turn turn, Moment now) {
    Wire wire;
    wire.journey = runtime_.Background().journey;
    if (which_ == GoroutineCase::kCancelPropagation && turn == Turn::kFirst) {
      wire.deadline = now + 25 * kMillisecond;
    }
    Thread gateway{runtime_.PickInstance(ServiceName::kGateway), now};
    network_.Serve(
        gateway, wire, {.method = "POST", .route = "/checkout"}, "Mozilla/5.0",
        [this, turn](Thread& thread, const Context& request) {
          network_.Call(
              thread, request,
              {.callee = ServiceName::kCheckout, .method = "POST", .route = "/orders"},
              [this, turn](Thread& server, const Context& call) { Orders(turn, server, call); });
        });
  }

  void Orders(Turn turn, Thread& thread, const Context& request) {
    runtime_.Log(thread, request);
    switch (which_) {
      case GoroutineCase::kFireAndForget:
        return SendReceipt(turn == Turn::kFirst ? Runtime::WithoutSpan(request) : request, thread,
                           request);
      case GoroutineCase::kExplicitPass:
        return SendReceipt(request, thread, request);
      case GoroutineCase::kCancelPropagation:
        return Prepare(thread, request);
      case GoroutineCase::kDeferredAfterDone:
        return Flush(turn, thread, request);
      case GoroutineCase::kWorkerPoolReuse:
        return HandToWorker(turn, thread, request);
      case GoroutineCase::kKeyOverwrite:
        return PriceAndTax(turn, thread, request);
      case GoroutineCase::kLeakedUnfinished:
        return Watch(turn, thread, request);
      case GoroutineCase::kNestedFanOut:
        return FanOut(thread, request);
    }
  }

  void Charge(Thread& thread, const Context& context) {
    network_.CallOnce(thread, context,
                      {.callee = ServiceName::kPayment, .method = "POST", .route = "/charges"},
                      [this](Thread& server, const Context& call) {
                        runtime_.Work(server, call, 10 * kMillisecond, 40 * kMillisecond);
                      });
  }

  Context Step(Thread& thread, const Context& context, std::string name) {
    const Context step = runtime_.Start(thread, context, {.name = std::move(name)});
    runtime_.Work(thread, step, 2 * kMillisecond, 10 * kMillisecond);
    runtime_.End(thread, step);
    return step;
  }

  /// Starts `work` as a goroutine.
  void Go(const Thread& thread, Moment after, std::function<void(Thread&)> work) {
    runtime_.scheduler().At(thread.now + after,
                            [instance = thread.instance, work = std::move(work)](Moment now) {
                              Thread goroutine{instance, now};
                              work(goroutine);
                            });
  }

  void SendReceipt(const Context& given, Thread& thread, const Context& request) {
    Go(thread, kMillisecond, [this, given](Thread& goroutine) {
      Step(goroutine, given, "send receipt");
      runtime_.Log(goroutine, given);
    });
    Go(thread, kMillisecond, [this, given](Thread& goroutine) { Charge(goroutine, given); });
    runtime_.Work(thread, request, 60 * kMillisecond, 90 * kMillisecond);
  }

  void Prepare(Thread& thread, const Context& request) {
    const Context prepare = runtime_.Start(thread, request, {.name = "prepare"});
    runtime_.Work(thread, prepare, 10 * kMillisecond, 14 * kMillisecond);
    Charge(thread, prepare);
    Charge(thread, prepare);
    runtime_.End(thread, prepare);
  }

  void Flush(Turn turn, Thread& thread, const Context& request) {
    Charge(thread, request);
    if (turn == Turn::kRight) {
      Step(thread, request, "flush");
      return;
    }
    const bool passed = turn == Turn::kFirst;
    const Context given = passed ? request : Runtime::WithoutSpan(request);
    Go(thread, 30 * kMillisecond, [this, given, passed](Thread& goroutine) {
      const Context flush = Step(goroutine, given, "flush");
      if (passed) {
        runtime_.Plant("work_after_reply", flush, given.record);
      }
    });
  }

  /// The worker was started by the first request, and keeps its context.
  void HandToWorker(Turn turn, Thread& thread, const Context& request) {
    constexpr Moment kStaleAfter = 11 * kSecond;
    if (started_ == 0) {
      started_ = thread.now;
      kept_ = request;
    }
    const bool stale = turn == Turn::kFirst && thread.now > started_ + kStaleAfter;
    const Context job = Step(thread, stale ? kept_ : request, "render invoice");
    if (stale) {
      runtime_.Plant("mixed_traces", job, kept_.record);
    }
    Charge(thread, request);
  }

  void PriceAndTax(Turn turn, Thread& thread, const Context& request) {
    const Context price = Step(thread, request, "price");
    SpanSpec tax{.name = "tax"};
    if (turn == Turn::kFirst) {
      tax.ids = price.span;
      runtime_.LogWithForeignIds(thread, request);
    }
    const Context taxed = runtime_.Start(thread, request, std::move(tax));
    runtime_.Work(thread, taxed, 2 * kMillisecond, 10 * kMillisecond);
    runtime_.End(thread, taxed);
    if (turn == Turn::kFirst) {
      runtime_.Plant("span_id_collision", taxed, price.record);
    }
    Charge(thread, request);
  }

  void Watch(Turn turn, Thread& thread, const Context& request) {
    Charge(thread, request);
    if (turn == Turn::kSecond) {
      const Context snapshot = runtime_.Start(thread, request, {.name = "export snapshot"});
      runtime_.Work(thread, snapshot, kMillisecond, 4 * kMillisecond);
      runtime_.SendUnfinished(thread, snapshot);
      return;
    }
    const Context watch = runtime_.Start(thread, request, {.name = "watch order"});
    runtime_.Log(thread, watch);
    const bool leaked = turn == Turn::kFirst;
    if (leaked) {
      runtime_.Leak(watch, Loss::kStream);
    }
    Go(thread, kMillisecond, [this, watch, leaked](Thread& goroutine) {
      for (int tick = 0; tick < (leaked ? 15 : 2); ++tick) {
        runtime_.Work(goroutine, watch, kSecond, 2 * kSecond);
        Step(goroutine, watch, "check order");
      }
      runtime_.End(goroutine, watch);
    });
  }

  void FanOut(Thread& thread, const Context& request) {
    Moment joined = thread.now;
    for (int i = 0; i < 3; ++i) {
      Thread outer = thread;
      const Context part = runtime_.Start(outer, request, {.name = "part"});
      Moment inner_joined = outer.now;
      for (int j = 0; j < 3; ++j) {
        Thread inner = outer;
        const Context line = runtime_.Start(inner, part, {.name = "line"});
        Charge(inner, line);
        runtime_.End(inner, line);
        inner_joined = std::max(inner_joined, inner.now);
      }
      outer.now = inner_joined;
      runtime_.End(outer, part);
      joined = std::max(joined, outer.now);
    }
    thread.now = joined;
  }

  Runtime& runtime_;
  Network network_;
  GoroutineCase which_;
  Context kept_;
  Moment started_ = 0;
};

}  // namespace

Simulated Scenario(GoroutineCase which) {
  SimulationOptions options;
  options.failure_share = 0;
  options.single_instances = which == GoroutineCase::kWorkerPoolReuse;  // a pool is of one process
  options.seed = 1000 + static_cast<std::uint64_t>(which);
  Runtime runtime(options);
  GoroutineProgram(runtime, which).Run();
  return Collect(runtime);
}

}  // namespace tracekeeper::truth
