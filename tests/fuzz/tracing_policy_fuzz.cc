// A TracingPolicy as JSON: what is decoded is written and decoded again as the same.
//
// DEPENDS: tracekeeper::operator_api

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "operator/api/tracing_policy.h"
#include "src/codec/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace api = tracekeeper::api;
  namespace codec = tracekeeper::codec;
  static codec::JsonParser parser;
  static codec::JsonParser second_parser;
  const auto object = parser.Parse({reinterpret_cast<const char*>(data), size});
  if (!object) return 0;
  const auto policy = api::DecodeTracingPolicy(*object);
  if (!policy) return 0;
  const auto written = second_parser.Parse(api::EncodeSpec(policy->spec));
  if (!written) std::abort();
  const auto again = codec::Decode<api::TracingPolicySpec>(*written, "spec");
  if (!again || *again != policy->spec) std::abort();
  return 0;
}
