#include "tests/cli/command_run.h"

#include <sstream>

#include "cli/command_line.h"
#include "tests/support/folders.h"

namespace tracekeeper::cli {

CommandRun RunCommand(const std::vector<std::string>& arguments, const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  CommandRun run;
  run.code = RunCommandLine("tracekeeper", arguments, {in, out, err});
  run.out = out.str();
  run.err = err.str();
  return run;
}

std::string Data(const std::string& name) {
  return test_support::SourceFolder() / "tests/cli/data" / name;
}

}  // namespace tracekeeper::cli
