// `make install`: the programs, completion for each shell, and the kubectl plugin.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/folders.h"
#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::cli {
namespace {

using test_support::RunProcess;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Install : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto installed =
        RunProcess({.argv = {"cmake", "--install", test_support::BuildFolder().string(), "--prefix",
                             prefix_.path().string()}});
    ASSERT_TRUE(installed) << installed.error().message;
    ASSERT_TRUE(installed->ok()) << installed->err;
  }

  test_support::TemporaryFolder prefix_{"install"};
};

TEST_F(Install, PutsProgramsAndCompletionInPlace) {
  for (const char* file :
       {"bin/tracekeeper", "bin/tracekeeper-operator", "bin/tracekeeper-sidecar",
        "bin/kubectl_complete-tracekeeper", "share/bash-completion/completions/tracekeeper",
        "share/zsh/site-functions/_tracekeeper",
        "share/fish/vendor_completions.d/tracekeeper.fish"}) {
    EXPECT_TRUE(fs::is_regular_file(prefix_ / file)) << file;
    EXPECT_GT(fs::file_size(prefix_ / file), 0U) << file;
  }
}

TEST_F(Install, MakesTheKubectlPluginWhichKnowsItsName) {
  const auto help = RunProcess({.argv = {prefix_ / "bin/kubectl-tracekeeper", "--help"}});
  ASSERT_TRUE(help) << help.error().message;
  EXPECT_THAT(help->out, HasSubstr("Usage: kubectl tracekeeper "));
}

TEST_F(Install, SaysThatTheDiskIsFull) {
  const auto run = RunProcess(
      {.argv = {"/bin/sh", "-c", "exec \"$0\" version > /dev/full", prefix_ / "bin/tracekeeper"}});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->exit_code, 1);
  EXPECT_THAT(run->err, HasSubstr("cannot be written: is the disk full?"));
}

}  // namespace
}  // namespace tracekeeper::cli
