#pragma once
// RunCommand runs a command line of `tracekeeper` in this process and keeps what it wrote.

#include <sstream>
#include <string>
#include <vector>

#include "cli/command_line.h"

namespace tracekeeper::cli {

struct CommandRun {
  int code = 0;
  std::string out;
  std::string err;
};

inline CommandRun RunCommand(const std::vector<std::string>& arguments,
                             const std::string& input = {}) {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  CommandRun run;
  run.code = RunCommandLine("tracekeeper", arguments, {in, out, err});
  run.out = out.str();
  run.err = err.str();
  return run;
}

/// A file of tests/cli/data.
inline std::string Data(const std::string& name) {
  return std::string(TRACEKEEPER_DATA) + "/" + name;
}

}  // namespace tracekeeper::cli
