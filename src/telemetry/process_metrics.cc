#include "src/telemetry/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace tracekeeper::telemetry {
namespace {

namespace fs = std::filesystem;

// Fields of /proc/PID/stat after the command, counted from 0: see proc(5), whose numbers begin
// three higher.
enum StatField : std::size_t {
  kUserTicks = 11,
  kSystemTicks = 12,
  kThreads = 17,
  kStartTicks = 19,
  kVirtualBytes = 20,
  kResidentPages = 21,
  kFieldCount = 22,
};

std::string ReadSmallFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<double> Number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return number;
}

// "btime 1767323045" in /proc/stat: when the machine started.
double BootTime(std::string_view stat) {
  constexpr std::string_view kKey = "\nbtime ";
  const std::size_t found = stat.find(kKey);
  if (found == std::string_view::npos) return 0;
  return Number(stat.substr(found + kKey.size())).value_or(0);
}

std::optional<double> CountOpenDescriptors(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error) return std::nullopt;
  // Reading the folder opens one more.
  return static_cast<double>(std::distance(entries, fs::directory_iterator())) - 1;
}

}  // namespace

std::optional<ProcessUsage> ParseProcessUsage(std::string_view stat, const ProcessUnits& units) {
  // The command stands in brackets and may hold anything, brackets too: begin after the last one.
  const std::size_t command_end = stat.rfind(')');
  if (command_end == std::string_view::npos) return std::nullopt;
  std::string_view rest = stat.substr(command_end + 1);
  std::array<double, kFieldCount> fields{};
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const std::size_t begin = rest.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(begin);
    const std::size_t end = rest.find(' ');
    const auto number = Number(rest.substr(0, end));
    if (!number && i > 0) return std::nullopt;  // the first one is a letter
    fields.at(i) = number.value_or(0);
    if (end == std::string_view::npos && i + 1 < kFieldCount) return std::nullopt;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  }
  return ProcessUsage{
      .cpu_seconds = (fields[kUserTicks] + fields[kSystemTicks]) / units.ticks_per_second,
      .resident_bytes = fields[kResidentPages] * units.page_bytes,
      .virtual_bytes = fields[kVirtualBytes],
      .start_time_seconds = units.boot_time_seconds + fields[kStartTicks] / units.ticks_per_second,
      .threads = fields[kThreads],
  };
}

ProcessMetrics::ProcessMetrics(Metrics& metrics, std::filesystem::path proc)
    : proc_(std::move(proc)),
      units_{.ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK)),
             .page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE)),
             .boot_time_seconds = BootTime(ReadSmallFile(proc_ / "stat"))},
      cpu_seconds_(metrics.MakeCounter("process_cpu_seconds_total",
                                       "Total user and system CPU time spent in seconds.", {})),
      resident_(
          metrics.MakeGauge("process_resident_memory_bytes", "Resident memory size in bytes.", {})),
      virtual_(
          metrics.MakeGauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", {})),
      start_time_(metrics.MakeGauge("process_start_time_seconds",
                                    "Start time of the process since unix epoch in seconds.", {})),
      threads_(metrics.MakeGauge("process_threads", "Number of OS threads in the process.", {})),
      open_descriptors_(
          metrics.MakeGauge("process_open_fds", "Number of open file descriptors.", {})),
      max_descriptors_(
          metrics.MakeGauge("process_max_fds", "Maximum number of open file descriptors.", {})) {
  Refresh();
}

void ProcessMetrics::Refresh() {
  if (const auto usage = ParseProcessUsage(ReadSmallFile(proc_ / "self" / "stat"), units_)) {
    if (usage->cpu_seconds > counted_cpu_seconds_) {
      cpu_seconds_.Increment(usage->cpu_seconds - counted_cpu_seconds_);
      counted_cpu_seconds_ = usage->cpu_seconds;
    }
    resident_.Set(usage->resident_bytes);
    virtual_.Set(usage->virtual_bytes);
    start_time_.Set(usage->start_time_seconds);
    threads_.Set(usage->threads);
  }
  if (const auto open = CountOpenDescriptors(proc_ / "self" / "fd")) open_descriptors_.Set(*open);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    max_descriptors_.Set(static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace tracekeeper::telemetry
