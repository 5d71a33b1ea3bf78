#pragma once
// RunCommand runs a command line of `tracekeeper` in this process and keeps what it wrote.

#include <string>
#include <vector>

namespace tracekeeper::cli {

struct CommandRun {
  int code = 0;
  std::string out;
  std::string err;
};

CommandRun RunCommand(const std::vector<std::string>& arguments, const std::string& input = {});

/// A file of tests/cli/data.
std::string Data(const std::string& name);

}  // namespace tracekeeper::cli
