#pragma once
// ProcessMetrics publishes process_* of this process, under the names of every Prometheus client:
// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
// process_open_fds, process_max_fds, process_start_time_seconds, process_threads.
//
// Threads:  Refresh() from one thread at a time: PrometheusMetrics calls it before each text.
// Failure:  what /proc does not show keeps its last value.

#include <filesystem>
#include <optional>
#include <string_view>

#include "src/base/metrics.h"

namespace tracekeeper::telemetry {

/// What /proc says of a process at one moment.
struct ProcessUsage {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double virtual_bytes = 0;
  double start_time_seconds = 0;  // since 1970
  double threads = 0;
};

/// The inputs of ParseProcessUsage that are not in the text.
struct ProcessUnits {
  double ticks_per_second = 100;
  double page_bytes = 4096;
  double boot_time_seconds = 0;
};

/// Reads the text of /proc/PID/stat. The command in it may hold blanks and brackets.
std::optional<ProcessUsage> ParseProcessUsage(std::string_view stat, const ProcessUnits& units);

class ProcessMetrics {
 public:
  /// `proc` is /proc, or a folder that looks like it.
  explicit ProcessMetrics(Metrics& metrics, std::filesystem::path proc = "/proc");

  void Refresh();

 private:
  const std::filesystem::path proc_;
  ProcessUnits units_;
  double counted_cpu_seconds_ = 0;
  Counter& cpu_seconds_;
  Gauge& resident_;
  Gauge& virtual_;
  Gauge& start_time_;
  Gauge& threads_;
  Gauge& open_descriptors_;
  Gauge& max_descriptors_;
};

}  // namespace tracekeeper::telemetry
