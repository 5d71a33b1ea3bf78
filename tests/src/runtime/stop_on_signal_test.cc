#include "src/runtime/stop_on_signal.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace tracekeeper::runtime {
namespace {

using namespace std::chrono_literals;

bool AskedToStop(const std::stop_token& token) {
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (!token.stop_requested() && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(1ms);
  }
  return token.stop_requested();
}

// In processes of their own: signals belong to a whole process.
TEST(StopOnSignalDeathTest, TheFirstSignalAsksTheSecondEnds) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  for (const int signal : {SIGTERM, SIGINT}) {
    EXPECT_EXIT(
        {
          const StopOnSignal signals;
          kill(getpid(), signal);
          if (!AskedToStop(signals.token())) _exit(7);
          kill(getpid(), signal);
          std::this_thread::sleep_for(10s);
          _exit(8);
        },
        testing::ExitedWithCode(1), "");
  }
}

TEST(StopOnSignalDeathTest, WithoutASignalNothingHappens) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        int code = 0;
        {
          const StopOnSignal signals;
          code = signals.token().stop_requested() ? 1 : 0;
        }
        _exit(code);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace tracekeeper::runtime
