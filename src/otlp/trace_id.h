#pragma once
// TraceId is a trace's 16 bytes as two numbers, most significant byte first.
//
// Threads:  a value.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace tracekeeper::otlp {

struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  static constexpr std::size_t kBytes = 16;

  /// Nothing for another length and for the id of zeros, which the specification calls invalid.
  static std::optional<TraceId> FromBytes(std::string_view bytes) {
    if (bytes.size() != kBytes) return std::nullopt;
    const TraceId id{BigEndian(bytes.data()), BigEndian(bytes.data() + sizeof(std::uint64_t))};
    if (id.high == 0 && id.low == 0) return std::nullopt;
    return id;
  }

  bool operator==(const TraceId&) const = default;

 private:
  static std::uint64_t BigEndian(const char* bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(value); ++i) {
      value = value << 8U | static_cast<unsigned char>(bytes[i]);
    }
    return value;
  }
};

struct TraceIdHash {
  std::size_t operator()(const TraceId& id) const {
    // Ids are chosen by the pod's own application; spreading them is enough.
    return std::hash<std::uint64_t>()(id.low ^ (id.high * 0x9E3779B97F4A7C15U));
  }
};

}  // namespace tracekeeper::otlp
