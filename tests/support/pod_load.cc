#include "tests/support/pod_load.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <ostream>
#include <thread>
#include <vector>

#include "src/kube/connect.h"

namespace tracekeeper::test_support {
namespace {

constexpr std::string_view kSidecar = "tracekeeper-sidecar";

std::string PodJson(const PodLoadOptions& options) {
  return fmt::format(R"({{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"load",)"
                     R"("namespace":"{}","labels":{}}},)"
                     R"("spec":{{"containers":[{{"name":"app","image":"example.com/app:1"}}]}}}})",
                     options.namespace_name, options.labels);
}

bool HasSidecar(const kube::Document& pod) {
  for (const codec::JsonValue container : pod["spec"]["initContainers"].Elements()) {
    if (container["name"].StringOr("") == kSidecar) return true;
  }
  return false;
}

bool IsUnanswered(const Error& error) {
  return error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kTimeout;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const PodLoadResult& result) {
  return out << result.injected << " injected, " << result.missed << " missed, " << result.refused
             << " refused, " << result.unanswered << " unanswered; first refusal: "
             << (result.first_refusal.empty() ? "none" : result.first_refusal);
}

class PodLoad::Senders {
 public:
  Senders(const Bed& bed, PodLoadOptions options)
      : options_(std::move(options)), json_(PodJson(options_)) {
    const auto config =
        kube::LoadConfig(kube::ConfigSearch::FromEnvironment(bed.admin_kubeconfig().string(), ""));
    EXPECT_TRUE(config) << config.error().message;
    auto connection = kube::Connection::Make(
        *config, {.max_repeats = 0}, kube::UnaryAdapter::kBeast, clock_, NoMetrics(), Logger(log_));
    EXPECT_TRUE(connection) << connection.error().message;
    connection_ = *std::move(connection);
    for (unsigned i = 0; i < options_.threads; ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) CreateOne(stop);
      });
    }
  }

  PodLoadResult Stop() {
    for (auto& thread : threads_) thread.request_stop();
    threads_.clear();  // joins
    return result();
  }

  [[nodiscard]] PodLoadResult result() const {
    const std::scoped_lock lock(mutex_);
    return result_;
  }

 private:
  void CreateOne(const std::stop_token& stop) {
    const auto made = connection_->client().Create(kube::kPods, options_.namespace_name, json_,
                                                   {.dry_run = kube::DryRun::kYes}, stop);
    if (stop.stop_requested()) return;
    const std::scoped_lock lock(mutex_);
    if (made) {
      ++(HasSidecar(*made) ? result_.injected : result_.missed);
    } else if (IsUnanswered(made.error())) {
      ++result_.unanswered;
    } else {
      ++result_.refused;
      if (result_.first_refusal.empty()) result_.first_refusal = made.error().message;
    }
  }

  const PodLoadOptions options_;
  const std::string json_;
  SystemClock clock_;
  Log log_{LogLevel::kError};
  std::unique_ptr<kube::Connection> connection_;
  mutable std::mutex mutex_;
  PodLoadResult result_;
  std::vector<std::jthread> threads_;
};

PodLoad::PodLoad(const Bed& bed, PodLoadOptions options)
    : senders_(std::make_unique<Senders>(bed, std::move(options))) {}
PodLoad::~PodLoad() = default;

PodLoadResult PodLoad::result() const { return senders_->result(); }
PodLoadResult PodLoad::Stop() { return senders_->Stop(); }

}  // namespace tracekeeper::test_support
