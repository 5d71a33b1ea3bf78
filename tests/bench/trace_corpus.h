#pragma once
// TraceCorpus is a stream of OTLP requests as 16 services send them: clean traces of eight spans
// over three services, twelve attributes a span (about 480 bytes), 512 spans a request, the spans
// of a trace in three requests or more. It can be played any number of times: Renew gives each
// trace another id and moves it in time.
//
// Threads:  one thread.
// Owner:    owns the requests.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tracekeeper::bench {

class TraceCorpus {
 public:
  /// `traces` begin one after another within `microseconds`.
  TraceCorpus(std::size_t traces, std::uint64_t microseconds, unsigned seed);

  [[nodiscard]] const std::vector<std::string>& requests() const { return requests_; }
  [[nodiscard]] std::size_t spans() const { return traces_ * 8; }
  [[nodiscard]] std::size_t traces() const { return traces_; }
  [[nodiscard]] std::size_t bytes() const;

  /// All ids change, all times move on by the length of the corpus.
  void Renew();

 private:
  struct Span;
  class Builder;

  struct Place {
    std::uint32_t request = 0;
    std::uint32_t trace_id = 0;  // offsets in the request
    std::uint32_t start = 0;
    std::uint32_t end = 0;
  };

  std::size_t traces_;
  std::uint64_t microseconds_;
  std::uint64_t renewals_ = 0;
  std::vector<std::string> requests_;
  std::vector<Place> places_;
};

}  // namespace tracekeeper::bench
