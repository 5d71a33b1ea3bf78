#pragma once
// Api serves /api/v1: edges, breaks, traces, gate, health, and the document that describes them.
// Only GET; every error is {"error":{"code","message"}} with a sentence.
//
//   Api api([&analysis] { return analysis.TakeSnapshot(); });
//   net::MakeBeastServer(options, [&api](const net::Request& request) { return api.Handle(request);
//   }, log);
//
// Threads:  Handle from any thread.
// Owner:    the program's wiring; what the source reaches outlives it.
// Limits:   kMaxTargetBytes of path and query, kMaxLimit entries an answer.

#include <functional>
#include <memory>

#include "src/analysis/snapshot.h"
#include "src/net/http.h"

namespace tracekeeper::analysis {

using SnapshotSource = std::function<std::shared_ptr<const Snapshot>()>;
using TraceSource =
    std::function<std::optional<continuity::KnownTrace>(const otlp::TraceId& trace)>;

class Api {
 public:
  static constexpr std::size_t kMaxTargetBytes = 2048;
  static constexpr std::size_t kMaxLimit = 1000;

  Api(SnapshotSource snapshots, TraceSource traces)
      : snapshots_(std::move(snapshots)), traces_(std::move(traces)) {}

  [[nodiscard]] net::Response Handle(const net::Request& request) const;

 private:
  [[nodiscard]] net::Response Edges(std::string_view target) const;
  [[nodiscard]] net::Response Breaks(std::string_view target) const;
  [[nodiscard]] net::Response Trace(std::string_view target) const;
  [[nodiscard]] net::Response Gate(std::string_view target) const;
  [[nodiscard]] net::Response Health(std::string_view target) const;

  const SnapshotSource snapshots_;
  const TraceSource traces_;
};

/// The OpenAPI document of these pages.
std::string_view OpenApiJson();

}  // namespace tracekeeper::analysis
