#pragma once
// Exposition writes metrics as text, in the format that the scraper asked for: OpenMetrics 1.0,
// which has exemplars, or Prometheus' own text format.
//
//   Exposition text(FormatFor(request.headers.Get("Accept")));
//   text.Family(MetricType::kCounter, "tracekeeper_hops_total", "Hops that were judged.");
//   text.Sample({{"result", "good"}}, 42);
//   Send(text.Finish(), ContentTypeOf(text.format()));
//
// A family is begun once and its samples follow; families come in the order of the calls. The name
// of a counter ends with _total in both formats; OpenMetrics names its family without.
//
// Threads:  one thread at a time.
// Failure:  none; a counter whose name does not end with _total is the caller's bug (asserted).
// Source:   https://prometheus.io/docs/specs/om/open_metrics_spec/ 1.0.0.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace tracekeeper::telemetry {

enum class ExpositionFormat : std::uint8_t { kPrometheus, kOpenMetrics };

/// What the Accept header of a scrape asks for: OpenMetrics where it is named with a weight that is
/// not 0 and not below that of text/plain.
ExpositionFormat FormatFor(std::string_view accept);
std::string_view ContentTypeOf(ExpositionFormat format);

enum class MetricType : std::uint8_t { kCounter, kGauge, kHistogram };

using Label = std::pair<std::string_view, std::string_view>;
using Labels = std::span<const Label>;

/// A case of what was counted. OpenMetrics only.
struct Exemplar {
  std::string labels;  // as they are written: trace_id="…",span_id="…"; at most 128 characters
  double value = 1;
  double seconds = 0;  // since 1970; 0: not known
};

class Exposition {
 public:
  explicit Exposition(ExpositionFormat format) : format_(format) {}

  [[nodiscard]] ExpositionFormat format() const { return format_; }

  void Family(MetricType type, std::string_view name, std::string_view help);
  /// `suffix` is what the series of a histogram end with: "_bucket", "_sum", "_count".
  void Sample(Labels labels, double value, const std::optional<Exemplar>& exemplar = std::nullopt,
              std::string_view suffix = {});
  void Sample(std::initializer_list<Label> labels, double value,
              const std::optional<Exemplar>& exemplar = std::nullopt) {
    Sample(Labels(labels.begin(), labels.size()), value, exemplar);
  }

  /// All of it; nothing may follow.
  [[nodiscard]] std::string Finish();

 private:
  const ExpositionFormat format_;
  std::string text_;
  std::string name_;  // of the family, as samples begin
};

}  // namespace tracekeeper::telemetry
