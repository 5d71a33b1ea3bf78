#include "tests/support/pod_process.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tracekeeper::test_support {

std::optional<pid_t> PodProcess(const std::string& pod_uid, std::string_view program) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    pid_t id = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), id).ec != std::errc()) continue;
    std::ifstream cgroup(entry.path() / "cgroup");
    const std::string text((std::istreambuf_iterator<char>(cgroup)), {});
    std::ifstream command(entry.path() / "cmdline");
    std::string first;
    std::getline(command, first, '\0');
    if (first == program && text.find(pod_uid) != std::string::npos) return id;
  }
  return std::nullopt;
}

}  // namespace tracekeeper::test_support
