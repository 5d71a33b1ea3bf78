#include "tests/bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "src/codec/json_writer.h"

namespace tracekeeper::bench {
namespace {

/// How many times better than its peer the value is; 0 where there is no peer.
double RatioOf(const Row& row, double value) {
  if (!row.peer) return 0;
  return row.better == Better::kLower ? row.peer->value / value : value / row.peer->value;
}

double ClockSeconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::size_t StatusBytes(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field))
      return std::strtoull(line.c_str() + field.size(), nullptr, 10) * 1024;
  }
  return 0;
}

void WriteRow(codec::JsonWriter& json, const std::string& bench, const Row& row) {
  const double value = Median(row.samples);
  const auto [least, most] = std::minmax_element(row.samples.begin(), row.samples.end());
  json.BeginObject().Member("bench", bench).Member("case", row.name).Member("metric", row.metric);
  json.Key("value").Double(value).Member("unit", row.unit);
  json.Key("n").Unsigned(row.samples.size()).Key("min").Double(*least).Key("max").Double(*most);
  const double ratio = RatioOf(row, value);
  if (row.peer) {
    json.Member("peer", row.peer->name).Key("peer_value").Double(row.peer->value);
    json.Key("ratio").Double(ratio);
  }
  if (row.goal) {
    json.Member("goal", row.goal->ToString()).Key("met").Bool(row.goal->IsMet(value, ratio));
  }
  json.EndObject();
}

}  // namespace

bool Goal::IsMet(double value, double ratio) const {
  const double judged = of == Of::kValue ? value : ratio;
  return bound == Bound::kAtMost ? judged <= limit : judged >= limit;
}

std::string Goal::ToString() const {
  return fmt::format("{}{} {:g}", of == Of::kRatio ? "ratio " : "",
                     bound == Bound::kAtMost ? "<=" : ">=", limit);
}

Goal AtMost(double limit) { return {Goal::Of::kValue, Goal::Bound::kAtMost, limit}; }
Goal AtLeast(double limit) { return {Goal::Of::kValue, Goal::Bound::kAtLeast, limit}; }
Goal RatioAtLeast(double limit) { return {Goal::Of::kRatio, Goal::Bound::kAtLeast, limit}; }
Goal RatioAtMost(double limit) { return {Goal::Of::kRatio, Goal::Bound::kAtMost, limit}; }

Report::Report(std::string bench) : bench_(std::move(bench)) {}

void Report::Add(const Row& row) {
  assert(!row.samples.empty());
  const double value = Median(row.samples);
  std::string line =
      fmt::format("{}/{} {}: {:.6g} {}", bench_, row.name, row.metric, value, row.unit);
  if (row.peer) {
    line += fmt::format(", {} {:.6g}, ratio {:.3g}", row.peer->name, row.peer->value,
                        RatioOf(row, value));
  }
  if (row.goal) {
    line += fmt::format(", goal {}{}", row.goal->ToString(),
                        row.goal->IsMet(value, RatioOf(row, value)) ? "" : " MISSED");
  }
  std::puts(line.c_str());
  std::fflush(stdout);
  rows_.push_back(row);
}

std::string Report::ToJson() const {
  codec::JsonWriter json;
  json.BeginArray();
  for (const Row& row : rows_) WriteRow(json, bench_, row);
  json.EndArray();
  return json.Take();
}

int Report::Write() const {
  const char* path = std::getenv("TRACEKEEPER_BENCH_OUTPUT");
  if (path == nullptr) return 0;
  std::ofstream file(path);
  file << ToJson() << '\n';
  file.close();
  if (file) return 0;
  std::fprintf(stderr, "cannot write the results to %s (TRACEKEEPER_BENCH_OUTPUT)\n", path);
  return 1;
}

double Median(std::span<const double> samples) {
  assert(!samples.empty());
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return sorted[middle];
  return (sorted[middle - 1] + sorted[middle]) / 2;
}

double Percentile(std::span<const double> samples, double percent) {
  assert(!samples.empty() && percent > 0 && percent <= 100);
  std::vector<double> sorted(samples.begin(), samples.end());
  const auto rank =
      static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(rank) - 1,
                   sorted.end());
  return sorted[rank - 1];
}

double ProcessCpuSeconds() { return ClockSeconds(CLOCK_PROCESS_CPUTIME_ID); }
double ThreadCpuSeconds() { return ClockSeconds(CLOCK_THREAD_CPUTIME_ID); }
std::size_t ResidentBytes() { return StatusBytes("VmRSS:"); }
std::size_t PeakResidentBytes() { return StatusBytes("VmHWM:"); }

}  // namespace tracekeeper::bench
