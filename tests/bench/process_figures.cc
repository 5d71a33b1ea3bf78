#include "tests/bench/process_figures.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace tracekeeper::bench {

double MemoryOf(pid_t process, std::string_view key) {
  std::ifstream file(fmt::format("/proc/{}/status", process));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key) && line[key.size()] == ':') {
      return std::stod(line.substr(key.size() + 1)) * 1024;
    }
  }
  return 0;
}

double CpuSecondsOf(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::stringstream text;
  text << file.rdbuf();
  // After the command's name in parentheses: field 14 and 15 of the line, 12 and 13 from here.
  std::istringstream fields(text.str().substr(text.str().rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace tracekeeper::bench
