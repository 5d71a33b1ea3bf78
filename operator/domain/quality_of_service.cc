#include "operator/domain/quality_of_service.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace tracekeeper::domain {
namespace {

using codec::JsonValue;

constexpr std::array<std::string_view, 2> kResources = {"cpu", "memory"};

std::optional<double> Scale(std::string_view suffix) {
  constexpr std::pair<std::string_view, double> kSuffixes[] = {
      {"", 1.0},      {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},
      {"k", 1e3},     {"M", 1e6},     {"G", 1e9},     {"T", 1e12},
      {"P", 1e15},    {"E", 1e18},    {"Ki", 1024.0}, {"Mi", 1048576.0},
      {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60},
  };
  const auto found =
      std::ranges::find(kSuffixes, suffix, &std::pair<std::string_view, double>::first);
  if (found == std::end(kSuffixes)) return std::nullopt;
  return found->second;
}

/// A quantity in a pod: text, or a plain number.
std::optional<double> QuantityOf(const JsonValue& value) {
  if (const auto text = value.String()) return ParseQuantity(*text);
  return value.Double();
}

/// What one set of resources says of cpu and memory.
struct Claim {
  bool any = false;        // something is asked for
  bool guaranteed = true;  // both have limits, and requests equal to them
};

Claim ClaimOf(const JsonValue& resources) {
  Claim claim;
  const JsonValue requests = resources["requests"];
  const JsonValue limits = resources["limits"];
  for (const std::string_view resource : kResources) {
    const double limit = QuantityOf(limits[resource]).value_or(0);
    const double request = QuantityOf(requests[resource]).value_or(limit);
    claim.any |= limit > 0 || request > 0;
    claim.guaranteed &= limit > 0 && request == limit;
  }
  return claim;
}

bool IsGuaranteed(const SidecarResources& added) {
  const auto equal = [](std::string_view request, std::string_view limit) {
    const auto wanted = ParseQuantity(limit);
    return wanted && *wanted > 0 && (request.empty() || ParseQuantity(request) == wanted);
  };
  return equal(added.cpu_request, added.cpu_limit) &&
         equal(added.memory_request, added.memory_limit);
}

}  // namespace

std::string_view NameOf(QosClass qos) {
  constexpr std::array<std::string_view, 3> kNames = {"BestEffort", "Burstable", "Guaranteed"};
  return kNames[static_cast<std::size_t>(qos)];
}

std::optional<double> ParseQuantity(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  // An exponent needs a digit: "1E" is one exa, "1E3" one thousand.
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc()) return std::nullopt;
  const auto scale = Scale({parsed.ptr, static_cast<std::size_t>(end - parsed.ptr)});
  if (!scale) return std::nullopt;
  return number * *scale;
}

QosClass QosClassOf(const PodView& pod) {
  Claim all;
  const auto join = [&](const Claim& claim) {
    all.any |= claim.any;
    all.guaranteed &= claim.guaranteed;
  };
  if (ClaimOf(pod.resources).any) {
    join(ClaimOf(pod.resources));
  } else {
    for (const ContainerView& container : pod.containers) join(ClaimOf(container.resources));
  }
  if (!all.any) return QosClass::kBestEffort;
  return all.guaranteed ? QosClass::kGuaranteed : QosClass::kBurstable;
}

QosClass QosClassWith(QosClass before, const PodView& pod, const SidecarResources& added) {
  if (ClaimOf(pod.resources).any) return before;
  const bool claims = !added.cpu_request.empty() || !added.cpu_limit.empty() ||
                      !added.memory_request.empty() || !added.memory_limit.empty();
  if (before == QosClass::kGuaranteed && IsGuaranteed(added)) return before;
  if (before == QosClass::kBestEffort && !claims) return before;
  return QosClass::kBurstable;
}

}  // namespace tracekeeper::domain
