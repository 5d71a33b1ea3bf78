#include "tests/analyzer/analyzer_load.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "src/net/transports.h"
#include "tests/bench/process_figures.h"
#include "tests/support/eventually.h"

namespace tracekeeper::analyzer {
namespace {

constexpr std::chrono::seconds kLimit{120};
constexpr int kConnections = 4;
constexpr int kTaken = 200;
constexpr int kPushedBack = 429;

struct Counts {
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> taken = 0;
  std::atomic<std::size_t> pushed_back = 0;
  std::atomic<std::size_t> other = 0;
};

void SendSome(const AnalyzerProcess& analyzer, std::size_t requests, PushedBack then,
              const std::function<std::string(std::size_t)>& make, Counts& counts) {
  const auto transport =
      net::MakeBeastTransport({.name = "analyzer", .base_url = analyzer.otlp_http_url()}).value();
  net::Request request{"POST", "/v1/traces", {{"Content-Type", "application/x-protobuf"}}, ""};
  for (std::size_t at = counts.next++; at < requests; at = counts.next++) {
    request.body = make(at);
    int status = 0;
    do {
      const auto answer = transport->Send(request, {.deadline = kLimit}, StopToken());
      status = answer ? answer->status : 0;
      if (status == kTaken) ++counts.taken;
      if (status == kPushedBack) {
        ++counts.pushed_back;
        EXPECT_EQ(answer->headers.Get("Retry-After"), "1");
      }
      if (status != kTaken && status != kPushedBack) ++counts.other;
    } while (status == kPushedBack && then == PushedBack::kIsSentAgain);
  }
}

}  // namespace

Answers SendAll(const AnalyzerProcess& analyzer, std::size_t requests, PushedBack pushed_back,
                const std::function<std::string(std::size_t)>& make) {
  Counts counts;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kConnections);
    for (int i = 0; i < kConnections; ++i) {
      threads.emplace_back([&] { SendSome(analyzer, requests, pushed_back, make, counts); });
    }
  }
  return {.taken = counts.taken, .pushed_back = counts.pushed_back, .other = counts.other};
}

analysis::Samples ScrapeWhenJudged(AnalyzerProcess& analyzer) {
  // A scrape is at most a tenth of a second old: nothing is pending in that before the first
  // request either.
  analysis::Samples samples;
  int quiet = 0;
  EXPECT_TRUE(test_support::Eventually(
      [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        samples = analyzer.Scrape();
        EXPECT_EQ(analysis::WhatDoesNotAddUp(samples), "");
        const bool is_quiet = samples.Sum("tracekeeper_spans_pending", {}) == 0 &&
                              samples.Sum("tracekeeper_queue_bytes", {}) == 0;
        quiet = is_quiet ? quiet + 1 : 0;
        return quiet == 3;
      },
      kLimit));
  return samples;
}

double MostResidentMiB(AnalyzerProcess& analyzer) {
  constexpr double kMiB = 1U << 20U;
  return bench::MemoryOf(analyzer.process().id(), "VmHWM") / kMiB;
}

}  // namespace tracekeeper::analyzer
