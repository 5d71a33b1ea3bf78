// Memory for secret bytes, asked of the kernel itself.

#include "src/crypto/locked_memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

namespace tracekeeper::crypto {
namespace {

/// What /proc/self/smaps says in `field` of the mapping that holds `address`; empty for none.
std::string MappingField(const void* address, const std::string& field) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool is_inside = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0;
    unsigned long to = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) {
      is_inside = from <= wanted && wanted < to;
    } else if (is_inside && line.starts_with(field + ":")) {
      return line.substr(field.size() + 1);
    }
  }
  return "";
}

TEST(LockedMemory, IsLockedAndLeftOutOfCoreDumps) {
  [[maybe_unused]] const std::uint64_t refusals = LockRefusals();
  const LockedMemory memory(100);
  EXPECT_EQ(memory.size(), 100U);
  const std::string flags = MappingField(memory.data(), "VmFlags");
  EXPECT_NE(flags.find(" dd"), std::string::npos) << flags;
#ifndef MLOCK_DOES_NOTHING
  if (LockRefusals() == refusals) {
    EXPECT_NE(flags.find(" lo"), std::string::npos) << flags;
  }
#endif
}

TEST(LockedMemory, BeginsAsZeroAndIsGoneWhenItEnds) {
  const char* where = nullptr;
  {
    const LockedMemory memory(5000);
    where = memory.data();
    for (std::size_t i = 0; i < memory.size(); ++i) ASSERT_EQ(memory.data()[i], '\0');
    std::memset(memory.data(), 'x', memory.size());
  }
  EXPECT_EQ(MappingField(where, "VmFlags").find(" dd"), std::string::npos);
}

TEST(LockedMemory, MovesWithoutACopy) {
  LockedMemory first(10);
  char* const where = first.data();
  LockedMemory second(20);
  second = std::move(first);
  EXPECT_EQ(second.data(), where);
  EXPECT_EQ(second.size(), 10U);
  EXPECT_EQ(first.data(), nullptr);  // NOLINT(bugprone-use-after-move): that is what is tested
}

TEST(LockedMemory, OfNoSizeIsNone) {
  const LockedMemory memory(0);
  EXPECT_EQ(memory.data(), nullptr);
  EXPECT_EQ(memory.size(), 0U);
}

#ifndef MLOCK_DOES_NOTHING
/// Exit code 0 when a refused lock is counted and the memory usable. For a process of its own.
[[noreturn]] void UseWhatCannotBeLocked() {
  constexpr uid_t kNobody = 65534;
  // No limit binds root.
  if (::geteuid() == 0 && ::setresuid(kNobody, kNobody, kNobody) != 0) std::_Exit(2);
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0) std::_Exit(3);
  const std::uint64_t refusals = LockRefusals();
  const LockedMemory memory(10);
  if (LockRefusals() != refusals + 1) std::_Exit(4);
  memory.data()[0] = 'x';
  std::_Exit(memory.data()[0] == 'x' ? 0 : 5);
}

TEST(LockedMemoryDeathTest, IsUsedUnlockedAndCountedWhereTheKernelRefuses) {
  EXPECT_EXIT(UseWhatCannotBeLocked(), ::testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace tracekeeper::crypto
