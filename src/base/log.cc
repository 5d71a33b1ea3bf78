#include "src/base/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>

namespace tracekeeper {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

LogLevel FromSpdlog(spdlog::level::level_enum level) {
  if (level >= spdlog::level::err) return LogLevel::kError;
  if (level >= spdlog::level::warn) return LogLevel::kWarn;
  if (level >= spdlog::level::info) return LogLevel::kInfo;
  return LogLevel::kDebug;
}

class CallbackSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit CallbackSink(LogSink callback) : callback_(std::move(callback)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    callback_(FromSpdlog(message.level),
              std::string_view(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

  LogSink callback_;
};

bool NeedsQuotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || c == '"' || c == '=' || c == '\\' || byte == 0x7f) return true;
  }
  return false;
}

// One event stays one line whatever a value holds: control characters are escaped.
void AppendValue(std::string& out, std::string_view value) {
  if (!NeedsQuotes(value)) {
    out += value;
    return;
  }
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendFields(std::string& out, std::initializer_list<LogField> fields) {
  for (const LogField& field : fields) {
    out += ' ';
    out += field.key;
    out += '=';
    AppendValue(out, field.value);
  }
}

}  // namespace

Result<LogLevel> ParseLogLevel(std::string_view text) {
  if (text == "debug") return LogLevel::kDebug;
  if (text == "info") return LogLevel::kInfo;
  if (text == "warn") return LogLevel::kWarn;
  if (text == "error") return LogLevel::kError;
  return Fail(ErrorKind::kInvalid, "log level \"{}\" is unknown: use debug, info, warn or error",
              text);
}

struct Log::State {
  explicit State(spdlog::sink_ptr sink) : logger("tracekeeper", std::move(sink)) {
    // %l would print "warning"; ours are debug, info, warn, error, so the level is in the payload.
    logger.set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc);
  }
  spdlog::logger logger;
};

Log::Log(LogLevel level)
    : state_(std::make_unique<State>(std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  set_level(level);
}

Log::Log(LogLevel level, LogSink sink)
    : state_(std::make_unique<State>(std::make_shared<CallbackSink>(std::move(sink)))) {
  set_level(level);
}

Log::~Log() = default;

void Log::set_level(LogLevel level) { state_->logger.set_level(ToSpdlog(level)); }

bool Log::Enabled(LogLevel level) const { return state_->logger.should_log(ToSpdlog(level)); }

void Log::Write(LogLevel level, std::string_view message, std::string_view fields_text) {
  constexpr std::string_view kNames[] = {"debug", "info", "warn", "error"};
  std::string line = fmt::format("level={} msg=", kNames[static_cast<int>(level)]);
  AppendValue(line, message);
  line += fields_text;
  state_->logger.log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

Logger Logger::With(std::initializer_list<LogField> fields) const {
  Logger result = *this;
  AppendFields(result.bound_fields_, fields);
  return result;
}

void Logger::Debug(std::string_view message, std::initializer_list<LogField> fields) const {
  Write(LogLevel::kDebug, message, fields);
}
void Logger::Info(std::string_view message, std::initializer_list<LogField> fields) const {
  Write(LogLevel::kInfo, message, fields);
}
void Logger::Warn(std::string_view message, std::initializer_list<LogField> fields) const {
  Write(LogLevel::kWarn, message, fields);
}
void Logger::Error(std::string_view message, std::initializer_list<LogField> fields) const {
  Write(LogLevel::kError, message, fields);
}

void Logger::Write(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) const {
  if (!log_->Enabled(level)) return;
  std::string text = bound_fields_;
  AppendFields(text, fields);
  log_->Write(level, message, text);
}

}  // namespace tracekeeper
