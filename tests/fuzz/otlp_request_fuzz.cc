// DEPENDS: tracekeeper::otlp
//
// Any bytes as a request of any signal: refused, or counted, filtered and split without losing a
// record.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/otlp/request.h"

namespace otlp = tracekeeper::otlp;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckFilter(otlp::Signal signal, std::string_view request, std::size_t items) {
  bool keep = false;
  const auto filtered = otlp::FilterRequest(signal, request, [&](const otlp::ItemFields&) {
    keep = !keep;
    return otlp::ItemDecision{.keep = keep};
  });
  Require(filtered && filtered->kept + filtered->dropped == items);
  if (!filtered->request) return;
  const auto kept = otlp::CountItems(signal, *filtered->request);
  Require(kept && *kept == filtered->kept);
}

void CheckSplit(otlp::Signal signal, std::string_view request, std::size_t items) {
  const auto pieces = otlp::SplitRequest(signal, request, {.items = 2, .bytes = 512});
  Require(pieces.has_value());
  std::size_t sum = 0;
  for (const otlp::RequestPiece& piece : *pieces) {
    const auto count = otlp::CountItems(signal, piece.request);
    Require(count && *count == piece.items);
    sum += piece.items;
  }
  Require(sum == items);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view request(reinterpret_cast<const char*>(data), size);
  for (const otlp::Signal signal : otlp::kSignals) {
    const auto items = otlp::CountItems(signal, request);
    if (!items) {
      Require(!items.error().message.empty());
      continue;
    }
    CheckFilter(signal, request, *items);
    CheckSplit(signal, request, *items);
  }
  return 0;
}
