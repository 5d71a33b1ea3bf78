#pragma once
// Console is what a command reads from and writes to, and the exit codes that scripts rely on.
// Commands take it as a parameter, so tests run them without a process.

#include <iosfwd>

namespace tracekeeper::cli {

struct Console {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

/// Done, and nothing to complain about.
inline constexpr int kDone = 0;
/// The command ran and the answer is bad: something is missing, the cluster refused.
inline constexpr int kFailed = 1;
/// The command could not be run: wrong flags, an unusable file, no way to the cluster.
inline constexpr int kUnusable = 2;

}  // namespace tracekeeper::cli
