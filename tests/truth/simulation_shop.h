#pragma once
// The programs of the shop: what each service does for a request, and what runs without one.
//
// Threads:  one thread.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/truth/simulation_broker.h"
#include "tests/truth/simulation_network.h"
#include "tests/truth/simulation_runtime.h"

namespace tracekeeper::truth {

class Shop {
 public:
  explicit Shop(Runtime& runtime);

  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

  /// From the first request to the last thing that any of them started.
  void Run();

 private:
  struct Page {
    std::string method;
    std::string route;
    Handler gateway;  // what the gateway does for it
  };

  // Requests from outside.
  void ScheduleRequests();
  void Request(Moment now);
  const Page& PickPage();
  void FromBrowser(const Page& page, Moment now);
  void FromPartner(Moment now);
  void FromLoadGenerator(const Page& page, Moment now);
  void PageOfTwo(const Page& page, const Context& user, Moment now);
  Context Serve(const Page& page, const Wire& wire, Moment now);

  // Gateway.
  Handler Forward(ServiceName callee, std::string method, std::string route, Handler handler,
                  Moment timeout = 3 * kSecond);

  // Frontend.
  void Products(Thread& thread, const Context& request);
  void Checkout(Thread& thread, const Context& request);
  void History(Thread& thread, const Context& request);
  void Prices(Thread& thread, const Context& request);
  void ReadSession(Thread& thread, const Context& context);
  void FlushSession(Thread& thread, const Context& request);
  void SendEvent(const Thread& thread, const Context& context);

  // Checkout.
  void Orders(Thread& thread, const Context& request);
  void ReserveStock(Thread& thread, const Context& context);
  void PriceAndTax(Thread& thread, const Context& context);
  void UpdateLoyalty(const Thread& thread, const Context& context);
  void RenderInvoice(const Thread& thread, const Context& context);

  // The others.
  void Charge(Thread& thread, const Context& request);
  void Stock(Thread& thread, const Context& request);
  void Recommend(Thread& thread, const Context& request);
  void Pack(Thread& thread, const Context& message);
  void Count(Thread& thread, const Context& message);
  void Mail(Thread& thread, const Context& message);

  // What no request asks for.
  void ScheduleBackground();
  void ScheduleProbes();
  void ScheduleWorkflows();
  void ScheduleLogs();
  void Report(Moment now);
  void Workflow(Moment now);
  /// Again and again from `first` on, while there are requests.
  void Every(Moment first, Moment period, std::function<void(Moment)> work);

  void Step(Thread& thread, const Context& context, std::string_view name, Moment least,
            Moment most);

  /// A worker of a pool, with the context it was started in.
  struct Worker {
    Context context;
    Moment since = 0;
  };

  Runtime& runtime_;
  Network network_;
  Broker orders_;
  Moment stop_;  // of requests from outside
  std::vector<Page> pages_;
  std::vector<unsigned> shares_;           // of the pages, in percent
  std::map<std::size_t, Context> scopes_;  // by gateway instance: the last that it opened
  std::map<std::size_t, Worker> workers_;  // by checkout instance
};

}  // namespace tracekeeper::truth
