#include "tests/integration/bed_leftovers.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/support/eventually.h"

namespace tracekeeper::test_support {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

std::string ReadFile(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(text).str();
}

std::vector<std::string> MountsThatName(const std::string& folder) {
  std::vector<std::string> found;
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(folder) != std::string::npos) found.push_back(line);
  }
  return found;
}

}  // namespace

std::vector<std::string> ProcessesThatName(const std::string& folder) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (name == std::to_string(getpid())) continue;
    std::string command = ReadFile(entry.path() / "cmdline");
    std::replace(command.begin(), command.end(), '\0', ' ');
    if (command.find(folder) != std::string::npos)
      found.push_back(fmt::format("{}: {}", name, command));
  }
  return found;
}

std::string StateOf(const fs::path& folder, const std::string& name) {
  std::ifstream state(folder / "state");
  for (std::string line; std::getline(state, line);) {
    if (line.starts_with(name + "=")) return line.substr(name.size() + 1);
  }
  return "";
}

std::vector<std::string> CgroupsNamed(const std::string& name) {
  std::vector<std::string> found;
  if (fs::exists("/sys/fs/cgroup/" + name)) found.push_back("/sys/fs/cgroup/" + name);
  std::error_code ignored;
  for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup", ignored)) {
    if (fs::exists(hierarchy.path() / name)) found.push_back(hierarchy.path() / name);
  }
  return found;
}

void ExpectNothingIsLeft(const fs::path& folder) {
  const auto is_gone = [&] { return !fs::exists(folder) && ProcessesThatName(folder).empty(); };
  if (Eventually(is_gone, std::chrono::seconds(20)) && MountsThatName(folder).empty()) return;
  EXPECT_THAT(ProcessesThatName(folder), IsEmpty());
  EXPECT_THAT(MountsThatName(folder), IsEmpty());
  EXPECT_FALSE(fs::exists(folder)) << folder;
}

}  // namespace tracekeeper::test_support
