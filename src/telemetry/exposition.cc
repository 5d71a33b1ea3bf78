#include "src/telemetry/exposition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <iterator>

namespace tracekeeper::telemetry {
namespace {

constexpr std::string_view kOpenMetricsType = "application/openmetrics-text";

void AppendEscaped(std::string& text, std::string_view value, bool escapes_quotes) {
  for (const char letter : value) {
    if (letter == '\\') {
      text += "\\\\";
    } else if (letter == '\n') {
      text += "\\n";
    } else if (letter == '"' && escapes_quotes) {
      text += "\\\"";
    } else {
      text += letter;
    }
  }
}

void AppendNumber(std::string& text, double value) {
  constexpr double kExactIntegers = 9007199254740992;  // 2^53
  if (std::isnan(value)) {
    text += "NaN";
  } else if (std::isinf(value)) {
    text += value > 0 ? "+Inf" : "-Inf";
  } else if (value == std::floor(value) && std::abs(value) < kExactIntegers) {
    fmt::format_to(std::back_inserter(text), "{}", static_cast<std::int64_t>(value));
  } else {
    fmt::format_to(std::back_inserter(text), "{}", value);
  }
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The part before `mark`, which is taken off.
std::string_view TakeUntil(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  const std::string_view part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return Trimmed(part);
}

/// q of a media range, 1 where it says none.
double WeightOf(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view parameter = TakeUntil(parameters, ';');
    if (TakeUntil(parameter, '=') != "q") continue;
    double weight = 0;
    const std::string_view number = Trimmed(parameter);
    std::from_chars(number.data(), number.data() + number.size(), weight);
    return weight;
  }
  return 1;
}

std::string_view NameOf(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "unknown";
}

}  // namespace

ExpositionFormat FormatFor(std::string_view accept) {
  double open_metrics = 0;
  double plain = 0;
  while (!accept.empty()) {
    std::string_view range = TakeUntil(accept, ',');
    const std::string_view type = TakeUntil(range, ';');
    if (type == kOpenMetricsType) open_metrics = std::max(open_metrics, WeightOf(range));
    if (type == "text/plain") plain = std::max(plain, WeightOf(range));
  }
  const bool is_preferred = open_metrics > 0 && open_metrics >= plain;
  return is_preferred ? ExpositionFormat::kOpenMetrics : ExpositionFormat::kPrometheus;
}

std::string_view ContentTypeOf(ExpositionFormat format) {
  return format == ExpositionFormat::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

void Exposition::Family(MetricType type, std::string_view name, std::string_view help) {
  constexpr std::string_view kTotal = "_total";
  assert(type != MetricType::kCounter || name.ends_with(kTotal));
  const bool is_cut = format_ == ExpositionFormat::kOpenMetrics && type == MetricType::kCounter;
  const std::string_view family = is_cut ? name.substr(0, name.size() - kTotal.size()) : name;
  name_ = name;
  text_ += fmt::format("# HELP {} ", family);
  // OpenMetrics escapes quotes here too.
  AppendEscaped(text_, help, format_ == ExpositionFormat::kOpenMetrics);
  text_ += fmt::format("\n# TYPE {} {}\n", family, NameOf(type));
}

void Exposition::Sample(Labels labels, double value, const std::optional<Exemplar>& exemplar,
                        std::string_view suffix) {
  text_ += name_;
  text_ += suffix;
  char separator = '{';
  for (const auto& [name, label_value] : labels) {
    text_ += separator;
    text_ += name;
    text_ += "=\"";
    AppendEscaped(text_, label_value, true);
    text_ += '"';
    separator = ',';
  }
  if (!labels.empty()) text_ += '}';
  text_ += ' ';
  AppendNumber(text_, value);
  if (exemplar && format_ == ExpositionFormat::kOpenMetrics) {
    text_ += fmt::format(" # {{{}}} ", exemplar->labels);
    AppendNumber(text_, exemplar->value);
    if (exemplar->seconds > 0) text_ += fmt::format(" {:.6f}", exemplar->seconds);
  }
  text_ += '\n';
}

std::string Exposition::Finish() {
  if (format_ == ExpositionFormat::kOpenMetrics) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace tracekeeper::telemetry
