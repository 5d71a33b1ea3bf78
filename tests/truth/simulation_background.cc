// What runs in the shop without a request: probes, jobs, loops, workflows that last for minutes.

#include <utility>

#include "tests/truth/simulation_shop.h"

namespace tracekeeper::truth {

void Shop::Every(Moment first, Moment period, std::function<void(Moment)> work) {
  runtime_.scheduler().At(first, [this, period, work = std::move(work)](Moment now) {
    if (now < stop_) {
      work(now);
      Every(now + period, period, work);
    }
  });
}

void Shop::ScheduleProbes() {
  for (std::size_t index = 0; index < runtime_.topology().instances.size(); ++index) {
    const Service& service =
        runtime_.topology().services[runtime_.topology().instances[index].service];
    if (service.address.empty()) {
      continue;  // serves nothing
    }
    const Moment first = kStartOfTime + runtime_.random().Below(10 * kSecond);
    Every(first, 10 * kSecond, [this, index](Moment now) {
      Thread thread{index, now};
      Wire wire;
      wire.journey = runtime_.Background().journey;
      network_.Serve(thread, wire, {.route = "/healthz"}, "kube-probe/1.34",
                     [this](Thread& server, const Context& probe) {
                       runtime_.Work(server, probe, 50 * kMicrosecond, 400 * kMicrosecond);
                     });
    });
  }
}

void Shop::ScheduleBackground() {
  Every(kStartOfTime + 3 * kSecond, 20 * kSecond, [this](Moment now) { Report(now); });
  for (const std::size_t instance : runtime_.topology().Of(ServiceName::kInventory).instances) {
    Every(kStartOfTime + runtime_.random().Below(3 * kSecond), 3 * kSecond,
          [this, instance](Moment now) {
            Thread thread{instance, now};
            const Context refresh =
                runtime_.Start(thread, runtime_.Background(), {.name = "refresh cache"});
            network_.Query(thread, refresh, "SELECT * FROM stock");
            runtime_.End(thread, refresh);
          });
  }
  for (const std::size_t instance : runtime_.topology().Of(ServiceName::kPayment).instances) {
    Every(kStartOfTime + runtime_.random().Below(2 * kSecond), 2 * kSecond,
          [this, instance](Moment now) {
            Thread thread{instance, now};
            network_.Query(thread, runtime_.Background(), "CAS leases");
          });
  }
}

void Shop::Report(Moment now) {
  Thread thread{runtime_.PickInstance(ServiceName::kReportJob), now};
  const Context report = runtime_.Start(thread, runtime_.Background(), {.name = "nightly report"});
  network_.Query(thread, report, "SELECT * FROM orders");
  network_.Call(thread, report, {.callee = ServiceName::kInventory, .route = "/stock"},
                [this](Thread& server, const Context& call) { Stock(server, call); });
  runtime_.Log(thread, report);
  runtime_.End(thread, report);
}

void Shop::ScheduleWorkflows() {
  Every(kStartOfTime + 2 * kSecond, 15 * kSecond, [this](Moment now) { Workflow(now); });
}

void Shop::Workflow(Moment now) {
  Thread thread{runtime_.PickInstance(ServiceName::kWorkflow), now};
  const Context flow = runtime_.Start(thread, runtime_.Background(), {.name = "workflow session"});
  for (int step = 0; step < 4; ++step) {
    network_.Call(thread, flow, {.callee = ServiceName::kInventory, .route = "/stock"},
                  [this](Thread& server, const Context& call) { Stock(server, call); });
    runtime_.Work(thread, flow, 35 * kSecond, 90 * kSecond);
  }
  runtime_.End(thread, flow);
}

void Shop::ScheduleLogs() {
  for (std::size_t index = 0; index < runtime_.topology().instances.size(); ++index) {
    runtime_.LogOfProcess(index,
                          kStartOfTime + index * kMillisecond);  // "started", before any request
    if (runtime_.options().background_logs_per_second > 0) {
      const double rate = runtime_.options().background_logs_per_second;
      const auto period = static_cast<Moment>(static_cast<double>(kSecond) / rate);
      Every(kStartOfTime + runtime_.random().Below(period) + 1, period,
            [this, index](Moment now) { runtime_.LogOfProcess(index, now); });
    }
  }
}

}  // namespace tracekeeper::truth
