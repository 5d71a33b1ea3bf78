#include "operator/domain/node_capability.h"

#include <algorithm>
#include <charconv>

namespace tracekeeper::domain {
namespace {

constexpr int kFirstMinorWithNativeSidecars = 29;

/// Whether "v1.34.4", "1.30+" or "v1.29.3-gke.100" is 1.29 or later.
bool RunsNativeSidecars(std::string_view version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  int major = 0;
  const char* const end = version.data() + version.size();
  const auto after_major = std::from_chars(version.data(), end, major);
  if (after_major.ec != std::errc() || after_major.ptr == end || *after_major.ptr != '.') {
    return false;
  }
  int minor = 0;
  const auto after_minor = std::from_chars(after_major.ptr + 1, end, minor);
  if (after_minor.ec != std::errc()) return false;
  return major > 1 || (major == 1 && minor >= kFirstMinorWithNativeSidecars);
}

}  // namespace

NodeCapability CapabilityOf(std::string_view server_version,
                            std::span<const std::string_view> kubelet_versions) {
  return {.native_sidecars = RunsNativeSidecars(server_version) &&
                             std::ranges::all_of(kubelet_versions, RunsNativeSidecars)};
}

}  // namespace tracekeeper::domain
