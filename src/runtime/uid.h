#pragma once
// Uid and VersionNumber are the compact forms in which a cache keeps metadata.uid (16 bytes instead
// of 36 characters) and metadata.resourceVersion (an integer). Both are compared, never printed.
//
// Failure:  text in another form is hashed: equal texts give equal values, which is all that is
//           asked of them.

#include <array>
#include <cstdint>
#include <string_view>

namespace tracekeeper::runtime {

struct Uid {
  std::array<std::uint8_t, 16> bytes{};

  bool operator==(const Uid&) const = default;
  /// The bytes, as a key of an index.
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  [[nodiscard]] bool empty() const { return *this == Uid{}; }
};

/// Reads "0f8b1c3e-…"; empty text gives the empty Uid.
Uid ParseUid(std::string_view text);

using VersionNumber = std::uint64_t;

/// The number that a resourceVersion is, or a hash of it; 0 only for empty text or "0".
VersionNumber ParseVersion(std::string_view text);

}  // namespace tracekeeper::runtime
