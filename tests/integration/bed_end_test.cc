// A bed ends with its test, however that ends, and leaves nothing on the machine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "tests/integration/bed_leftovers.h"
#include "tests/support/bed.h"
#include "tests/support/eventually.h"
#include "tests/support/folders.h"
#include "tests/support/spawn.h"

namespace tracekeeper::test_support {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

TEST(BedEndTest, NothingIsLeftOfAControlPlane) {
  auto bed = StartBed({.controllers = true});
  ASSERT_TRUE(bed);
  const fs::path folder = bed->folder();
  EXPECT_GE(ProcessesThatName(folder).size(), 4U);
  bed.reset();
  ExpectNothingIsLeft(folder);
}

// bed_victim.cc as a process of its own: it starts a bed and waits to be killed.
class Victim {
 public:
  explicit Victim(int nodes)
      : folder_(fs::temp_directory_path() / ("victim-" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    const fs::path answer = folder_ / "answer";
    auto process =
        ChildProcess::Start({.argv = {test_support::BuildFolder() / "tests/integration/bed_victim",
                                      std::to_string(nodes), answer}},
                            folder_ / "log");
    if (!process) return;
    process_.emplace(*std::move(process));
    Eventually([&] { return fs::exists(answer) || !process_->IsRunning(); }, 120s);
    std::ifstream stream(answer);
    std::getline(stream, bed_folder_);
  }
  ~Victim() { fs::remove_all(folder_); }

  [[nodiscard]] const std::string& bed_folder() const { return bed_folder_; }
  [[nodiscard]] std::string log() const { return process_ ? process_->ReadLog() : ""; }
  void Kill() { process_->Terminate(0ms); }

 private:
  fs::path folder_;
  std::optional<ChildProcess> process_;
  std::string bed_folder_;
};

TEST(BedEndTest, NothingIsLeftWhenTheTestIsKilled) {
  Victim victim(0);
  ASSERT_FALSE(victim.bed_folder().empty()) << victim.log();
  EXPECT_GE(ProcessesThatName(victim.bed_folder()).size(), 4U);
  victim.Kill();
  ExpectNothingIsLeft(victim.bed_folder());
}

TEST(BedEndTest, NothingIsLeftWhenTheTestIsKilledDuringTheStart) {
  const fs::path folder =
      fs::temp_directory_path() / ("tracekeeper-bed-start-" + std::to_string(getpid()));
  auto lifeline = Pipe::Open();
  ASSERT_TRUE(lifeline);
  const std::string tool = test_support::SourceFolder() / "tools/bed/bed";
  const auto keeper = Spawn({.argv = {tool, "serve", "--dir", folder, "--controllers"}},
                            {.in = lifeline->read_end.get()}, WhenParentEnds::kOutliveIt);
  ASSERT_TRUE(keeper) << keeper.error().message;
  ASSERT_TRUE(Eventually([&] { return fs::exists(folder / "log/kube-apiserver"); }, 60s));
  lifeline->write_end.Close();  // what the kernel does when the test ends
  EXPECT_EQ(waitpid(*keeper, nullptr, 0), *keeper);
  ExpectNothingIsLeft(folder);
}

TEST(BedEndTest, ServersDieWithAKilledKeeperAndTheNextBedSweepsUp) {
  Victim victim(0);
  ASSERT_FALSE(victim.bed_folder().empty()) << victim.log();
  const int keeper = std::atoi(StateOf(victim.bed_folder(), "keeper").c_str());
  ASSERT_GT(keeper, 1);
  ASSERT_EQ(kill(keeper, SIGKILL), 0);
  EXPECT_TRUE(Eventually([&] { return ProcessesThatName(victim.bed_folder()).empty(); }, 10s));
  const auto next = StartBed();
  EXPECT_FALSE(fs::exists(victim.bed_folder()));
}

TEST(BedEndTest, NothingIsLeftOfANodeWhenTheTestIsKilled) {
  SKIP_WITHOUT_NODES();
  Victim victim(1);
  ASSERT_FALSE(victim.bed_folder().empty()) << victim.log();
  const std::string cgroup = StateOf(victim.bed_folder(), "cgroup");
  EXPECT_THAT(CgroupsNamed(cgroup), Not(IsEmpty()));
  victim.Kill();
  ExpectNothingIsLeft(victim.bed_folder());
  EXPECT_THAT(CgroupsNamed(cgroup), IsEmpty());
}

}  // namespace
}  // namespace tracekeeper::test_support
