#pragma once
// Report is how a benchmark program tells what it measured: rows that end in
// build/bench/results.json and in the table that `make bench` prints.
//
//   Report report("admission");
//   report.Add({.name = "pod_7kb", .metric = "latency_p99", .unit = "us",
//               .samples = p99_of_each_run, .goal = AtMost(100)});
//   report.Add({.name = "pod_7kb", .metric = "cpu", .unit = "us",
//               .samples = cpu_of_each_run, .better = Better::kLower,
//               .peer = Peer{"go client", peer_cpu}, .goal = RatioAtLeast(20)});
//   return report.Write();
//
// A sample is one run's figure; the row's value is the median of the runs, beside their least and
// most. Run a benchmark several times and give every run: one run says nothing about its noise.
// A missed goal is a row with "met": false, never an error: it is the reader who decides.
//
// Threads:  one thread at a time.
// Owner:    main().
// Failure:  Write() says on standard error what went wrong, and returns main()'s exit code.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tracekeeper::bench {

/// What an issue asks for: a bound on the value, or on the ratio to a peer.
struct Goal {
  enum class Of { kValue, kRatio };
  enum class Bound { kAtMost, kAtLeast };

  Of of;
  Bound bound;
  double limit;

  [[nodiscard]] bool IsMet(double value, double ratio) const;
  /// "<= 100" or "ratio >= 20".
  [[nodiscard]] std::string ToString() const;
};

Goal AtMost(double limit);
Goal AtLeast(double limit);
Goal RatioAtLeast(double limit);
Goal RatioAtMost(double limit);

/// Which way a figure improves; a ratio above 1 always means "better than the peer".
enum class Better { kLower, kHigher };

/// The same figure of something else (or a limit of the machine), measured in the same run.
struct Peer {
  std::string name;
  double value;
};

struct Row {
  std::string name;             // what was done: "pod_7kb"; the "case" of the JSON
  std::string metric;           // what was measured: "latency_p99"
  std::string unit;             // "us", "bytes", "1/s"
  std::vector<double> samples;  // one a run, in any order; at least one
  Better better = Better::kLower;
  std::optional<Peer> peer = {};
  std::optional<Goal> goal = {};
};

class Report {
 public:
  /// `bench` is one of the names of `make bench BENCH=name`.
  explicit Report(std::string bench);

  /// Keeps the row and prints it, so that a long run shows how far it is.
  void Add(const Row& row);

  /// The rows as the JSON array of results.json.
  [[nodiscard]] std::string ToJson() const;

  /// Writes the rows to the file that $TRACEKEEPER_BENCH_OUTPUT names (the runner sets it), or
  /// nowhere without it. The exit code of the program: 0, or 1 when that failed.
  [[nodiscard]] int Write() const;

 private:
  std::string bench_;
  std::vector<Row> rows_;
};

/// The middle of the samples, or the mean of the two middle ones. Samples must not be empty.
double Median(std::span<const double> samples);
/// The nearest-rank percentile, `percent` in (0, 100]. Samples must not be empty.
double Percentile(std::span<const double> samples, double percent);

/// Seconds of CPU time that this process has used, all threads, user and system.
double ProcessCpuSeconds();
/// Seconds of CPU time that the calling thread has used.
double ThreadCpuSeconds();
/// Bytes of this process in memory now (VmRSS), and the most it ever had (VmHWM).
std::size_t ResidentBytes();
std::size_t PeakResidentBytes();

/// Keeps the compiler from dropping the computation of `value`.
template <typename T>
void Keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

}  // namespace tracekeeper::bench
