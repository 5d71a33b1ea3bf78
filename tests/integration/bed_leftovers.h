#pragma once
// What a bed could leave on the machine: processes, mounts, cgroups, its folder.
//
// Threads:  any.
// Failure:  what cannot be read is taken for gone, as a process that ends while it is looked at.

#include <filesystem>
#include <string>
#include <vector>

/// Leaves a test of nodes out, with the reason, where this user or machine cannot have them.
#define SKIP_WITHOUT_NODES()                           \
  if (const auto reason = Bed::WhyNot({.nodes = 1})) { \
    GTEST_SKIP() << "left out, because " << *reason;   \
  }

namespace tracekeeper::test_support {

/// Every server of a bed, and whatever its nodes start, names the bed's folder in its arguments.
std::vector<std::string> ProcessesThatName(const std::string& folder);

/// A line of the state file that the bed tool leaves in the bed's folder, without its name.
std::string StateOf(const std::filesystem::path& folder, const std::string& name);

/// In cgroup v1 there is one in each hierarchy.
std::vector<std::string> CgroupsNamed(const std::string& name);

/// Gives the bed's keeper 20 s, then fails the test for each thing that is still there.
void ExpectNothingIsLeft(const std::filesystem::path& folder);

}  // namespace tracekeeper::test_support
