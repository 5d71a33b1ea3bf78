#pragma once
// Log writes one event a line in logfmt to standard error:
//
//   time=2026-01-02T03:04:05.678Z level=info msg="Injected pod" policy=shop/checkout pod=shop/web-1
//
// Messages start with a capital, are in the past tense and have no period; details are fields, with
// the same keys everywhere (policy, pod, namespace, reconcile, error, took). No secret ever.
//
// Threads:  all methods are safe from any thread. Loggers are cheap values that share one Log.
// Owner:    the program's wiring owns the Log; it outlives its Loggers.
// Failure:  a line that cannot be written is lost; logging never fails its caller.

#include <fmt/core.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/error.h"
#include "src/base/result.h"

namespace tracekeeper {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

/// Reads "debug", "info", "warn" or "error".
Result<LogLevel> ParseLogLevel(std::string_view text);

struct LogField {
  LogField(std::string_view field_key, std::string_view text) : key(field_key), value(text) {}
  LogField(std::string_view field_key, const std::string& text) : key(field_key), value(text) {}
  LogField(std::string_view field_key, const char* text) : key(field_key), value(text) {}
  LogField(std::string_view field_key, bool flag)
      : key(field_key), value(flag ? "true" : "false") {}
  LogField(std::string_view field_key, const Error& error) : key(field_key), value(error.message) {}
  template <typename Number>
    requires std::is_arithmetic_v<Number>
  LogField(std::string_view field_key, Number number)
      : key(field_key), value(fmt::format("{}", number)) {}

  std::string_view key;
  std::string value;
};

/// Where lines go. Tests pass their own to read what was logged.
using LogSink = std::function<void(LogLevel, std::string_view line)>;

class Log {
 public:
  /// Writes to standard error.
  explicit Log(LogLevel level);
  /// Hands each finished line (no newline) to `sink`.
  Log(LogLevel level, LogSink sink);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void set_level(LogLevel level);
  [[nodiscard]] bool Enabled(LogLevel level) const;
  /// `fields_text` is already logfmt: " key=value key=value".
  void Write(LogLevel level, std::string_view message, std::string_view fields_text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A Log with fields that every line carries.
class Logger {
 public:
  explicit Logger(Log& log) : log_(&log) {}

  [[nodiscard]] Logger With(std::initializer_list<LogField> fields) const;

  void Debug(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void Info(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void Warn(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void Error(std::string_view message, std::initializer_list<LogField> fields = {}) const;

 private:
  void Write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) const;

  Log* log_;
  std::string bound_fields_;
};

}  // namespace tracekeeper
