#pragma once
// A Reflector with its Store of ConfigMaps against a FakeApiServer, on a clock of the test's own.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "src/runtime/reflector.h"
#include "src/runtime/store.h"
#include "tests/support/fake_api_server.h"
#include "tests/support/manual_clock.h"

namespace tracekeeper::runtime {

struct ConfigMap {
  kube::ObjectMeta meta;
  std::string value;
};

inline Result<ConfigMap> ProjectConfigMap(codec::JsonValue object) {
  ConfigMap map;
  map.meta = TRY(kube::DecodeMeta(object));
  map.value = object["data"]["value"].StringOr("");
  return map;
}

inline std::string ConfigMapJson(std::string_view name, std::string_view value) {
  return fmt::format(R"({{"metadata":{{"namespace":"shop","name":"{}"}},"data":{{"value":"{}"}}}})",
                     name, value);
}

class ReflectorTest : public testing::Test {
 protected:
  ~ReflectorTest() override { Stop(); }

  void Start(ReflectorOptions options = {}) {
    options.resource = kube::kConfigMaps;
    reflector_ = std::make_unique<Reflector>(
        options, client_, store_, clock_, [] { return 0.5; }, Logger(log_));
    thread_ = std::jthread([this](const StopToken& stop) { reflector_->Run(stop); });
  }
  void StartWithLists() { Start({.watch_list = WatchListMode::kOff}); }
  void Stop() {
    server_.Wake();
    thread_ = std::jthread();
  }

  bool Eventually(const std::function<bool()>& condition, std::string_view what) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit) {
        ADD_FAILURE() << "never: " << what << "\n" << testing::PrintToString(Lines());
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
  bool Synced(std::uint64_t syncs = 1) {
    return Eventually([&] { return reflector_->status().syncs >= syncs; }, "synced");
  }
  bool Sees(std::string_view name, std::string_view value) {
    return Eventually(
        [&] {
          const auto map = store_.Find({"shop", std::string(name)});
          return map != nullptr && map->value == value;
        },
        fmt::format("{} is {}", name, value));
  }
  bool SeesNo(std::string_view name) {
    return Eventually([&] { return store_.Find({"shop", std::string(name)}) == nullptr; },
                      fmt::format("{} is gone", name));
  }
  bool Failed(std::uint64_t failures) {
    return Eventually(
        [&] {
          const ReflectorStatus status = reflector_->status();
          return status.failures >= failures && status.state == ReflectorState::kWaiting;
        },
        fmt::format("{} failures", failures));
  }
  bool Asked(std::string_view text, std::size_t times) {
    return Eventually([&] { return server_.CountRequests(text) >= times; },
                      fmt::format("{} requests with {}", times, text));
  }
  std::vector<std::string> Lines() {
    const std::scoped_lock lock(lines_mutex_);
    return lines_;
  }

  test_support::ManualClock clock_;
  test_support::FakeApiServer server_{clock_};
  kube::Client client_{{}, server_, server_, nullptr, clock_, NoMetrics()};
  std::mutex lines_mutex_;
  std::vector<std::string> lines_;
  Log log_{LogLevel::kDebug, [this](LogLevel, std::string_view line) {
             const std::scoped_lock lock(lines_mutex_);
             lines_.emplace_back(line);
           }};
  Store<ConfigMap> store_{"configmaps", ProjectConfigMap, Logger(log_)};
  std::unique_ptr<Reflector> reflector_;
  std::jthread thread_;
};

}  // namespace tracekeeper::runtime
