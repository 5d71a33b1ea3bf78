// tracekeeper: the command line, also as `kubectl tracekeeper`.

#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "cli/command_line.h"

int main(int argc, char** argv) {
  // A reader that went away (`tracekeeper explain ... | head -1`) ends us as it ends other tools.
  std::signal(SIGPIPE, SIG_DFL);
  std::ios::sync_with_stdio(false);
  const tracekeeper::cli::Console console{std::cin, std::cout, std::cerr};
  const int code = tracekeeper::cli::RunCommandLine(
      tracekeeper::cli::ProgramName(argc > 0 ? argv[0] : ""),
      std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc), console);
  std::cout.flush();
  if (!std::cout) {
    std::fputs("tracekeeper: standard output cannot be written: is the disk full?\n", stderr);
    return tracekeeper::cli::kFailed;
  }
  return code;
}
