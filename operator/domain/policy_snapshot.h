#pragma once
// PolicySnapshot is all compiled policies at one moment, in the order in which they are asked: a
// namespace's own before the fleet's, then by ComesBefore(). The controller makes a new one when a
// policy changes; the webhook reads the current one through an atomic shared_ptr.
//
// Threads:  immutable; safe from any thread.
// Owner:    shared_ptr; policies are shared with the next snapshot.

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "operator/domain/compiled_policy.h"

namespace tracekeeper::domain {

class PolicySnapshot {
 public:
  PolicySnapshot() = default;
  explicit PolicySnapshot(std::vector<PolicyPointer> policies);

  /// Policies of that namespace alone, first asked first.
  [[nodiscard]] std::span<const PolicyPointer> Local(std::string_view namespace_name) const;
  [[nodiscard]] std::span<const PolicyPointer> Fleet() const { return fleet_; }
  /// All, sorted by namespace and name.
  [[nodiscard]] std::span<const PolicyPointer> All() const { return all_; }
  [[nodiscard]] const CompiledPolicy* Find(const kube::ObjectKey& key) const;
  [[nodiscard]] bool empty() const { return all_.empty(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::vector<PolicyPointer> all_;
  std::vector<PolicyPointer> fleet_;
  std::unordered_map<std::string, std::vector<PolicyPointer>, Hash, std::equal_to<>> local_;
};

}  // namespace tracekeeper::domain
