#pragma once
// Sampling: how many traces are recorded and exported.

#include <optional>
#include <tuple>

#include "operator/api/scalars.h"
#include "src/codec/fields.h"

namespace tracekeeper::api {

struct HeadSampling {
  Ratio ratio;

  bool operator==(const HeadSampling&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("ratio", &HeadSampling::ratio,
              {.doc = "Share of new traces that the application records.",
               .required = true,
               .example = "\"0.25\""}),
    };
  }
};

struct SidecarSampling {
  Ratio ratio;

  bool operator==(const SidecarSampling&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("ratio", &SidecarSampling::ratio,
              {.doc = "Share of recorded traces that the sidecar exports.",
               .required = true,
               .example = "\"0.25\""}),
    };
  }
};

/// Consistent sampling, keyed by trace id: all hops of a trace decide alike.
struct Sampling {
  std::optional<HeadSampling> head;
  std::optional<SidecarSampling> sidecar;

  bool operator==(const Sampling&) const = default;

  static consteval auto Fields() {
    using codec::Field;
    return std::tuple{
        Field("head", &Sampling::head, {.doc = "Decided where a trace begins."}),
        Field("sidecar", &Sampling::sidecar, {.doc = "Decided in the sidecar, before export."}),
    };
  }
};

}  // namespace tracekeeper::api
