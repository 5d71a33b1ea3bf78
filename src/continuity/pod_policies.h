#pragma once
// PodPolicies say which policy a pod belongs to, for spans whose resource names none.
//
// Threads:  immutable once it is shared; any number may read.
// Owner:    shared by whoever made it and the readers that use it.
// Cost:     about 150 bytes a pod. A look takes one or two looks into a hash table.
// Source:   docs/reference/verdicts.md, section 2.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/otlp/telemetry_fields.h"

namespace tracekeeper::continuity {

class PodPolicies {
 public:
  struct Pod {
    std::string_view uid;
    std::string_view namespace_name;
    std::string_view name;
  };

  /// `policy`: "namespace/name".
  void Add(const Pod& pod, std::string_view policy);
  /// By the pod's uid, else by namespace and name; empty where the pod is not known.
  [[nodiscard]] std::string_view PolicyOf(const otlp::ResourceFields& resource) const;
  [[nodiscard]] std::size_t size() const { return by_uid_.size(); }

 private:
  using PolicyNumber = std::uint32_t;
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  template <typename Value>
  using ByText = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

  PolicyNumber NumberOf(std::string_view policy);
  [[nodiscard]] std::string_view Find(const ByText<PolicyNumber>& pods, std::string_view key) const;

  std::vector<std::string> policies_;
  ByText<PolicyNumber> numbers_;  // of policies
  ByText<PolicyNumber> by_uid_;
  ByText<PolicyNumber> by_name_;  // "namespace/name"
};

}  // namespace tracekeeper::continuity
