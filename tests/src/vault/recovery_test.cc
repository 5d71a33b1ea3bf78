#include <gtest/gtest.h>

#include <algorithm>
#include <queue>
#include <random>
#include <vector>

#include "src/vault/kv.h"
#include "src/vault/retry.h"
#include "src/vault/session.h"
#include "tests/src/vault/fixture.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;

/// A Vault that is sealed or not, and counts.
class SealableVault final : public net::Transport {
 public:
  Result<net::Response> Send(const net::Request& request, const net::CallOptions& /*options*/,
                             const StopToken& /*stop*/) override {
    if (request.target == kHealthTarget) {
      ++probes;
      return is_sealed ? net::Response{.status = 503, .body = std::string(kSealedHealth)}
                       : net::Response{.status = 200, .body = std::string(kActive)};
    }
    ++requests;
    if (is_sealed) return net::Response{.status = 503, .body = std::string(kSealedBody)};
    if (request.target == "/v1/auth/kubernetes/login") {
      ++logins;
      return net::Response{.body = R"({"auth":{"client_token":"t","accessor":"a",
                                       "lease_duration":3600,"renewable":true}})"};
    }
    return net::Response{.body = R"({"data":{"password":"x"}})"};
  }
  Status Stream(const net::Request& /*request*/, net::StreamSink& /*sink*/,
                const net::CallOptions& /*options*/, const StopToken& /*stop*/) override {
    return Fail(ErrorKind::kInternal, "no call to Vault is a stream");
  }

  bool is_sealed = false;
  int requests = 0;
  int probes = 0;
  int logins = 0;
};

/// Objects that each read a secret a minute and, where that fails, wait as their error says.
class Crowd {
 public:
  explicit Crowd(std::size_t size) : objects_(size) {
    auto login = MakeJwtLogin({.role = "shop", .jwt = [](const StopToken&) {
                                 return Result<crypto::SecretString>(crypto::SecretString("jwt"));
                               }});
    session_ = std::make_unique<Session>(SessionOptions{.random = [this] { return Random(); }},
                                         endpoint_, *std::move(login), clock);
    for (std::size_t object = 0; object < size; ++object) due_.push({clock.Monotonic(), object});
  }

  void RunFor(Duration duration) {
    const MonotonicTime end = clock.Monotonic() + duration;
    while (due_.top().at <= end) {
      const Due next = due_.top();
      due_.pop();
      clock.Advance(std::max<Duration>(next.at - clock.Monotonic(), Duration::zero()));
      due_.push({clock.Monotonic() + RunOnce(objects_[next.object]), next.object});
    }
    clock.Advance(end - clock.Monotonic());
  }

  /// When the last of them succeeded for the first time since `since`, or nothing if one has not.
  [[nodiscard]] std::optional<Duration> AllGoodAfter(MonotonicTime since) const {
    Duration last{};
    for (const Object& object : objects_) {
      if (object.good_since < since) return std::nullopt;
      last = std::max<Duration>(last, object.good_since - since);
    }
    return last;
  }

  test_support::ManualClock clock;
  SealableVault vault;

 private:
  struct Object {
    unsigned attempt = 0;
    bool is_good = false;
    MonotonicTime good_since{};
  };
  struct Due {
    MonotonicTime at;
    std::size_t object;
    bool operator<(const Due& other) const { return at > other.at; }
  };

  double Random() { return std::uniform_real_distribution<>(0, 1)(random_); }

  Duration RunOnce(Object& object) {
    const auto secret = Kv1("kv", *session_).Read("shop", {});
    if (!secret) {
      object.is_good = false;
      return WaitBeforeRetry(secret.error(), object.attempt++, Random()).value_or(1h);
    }
    if (!object.is_good) object.good_since = clock.Monotonic();
    object.is_good = true;
    object.attempt = 0;
    return std::chrono::duration_cast<Duration>(60s * (0.9 + 0.1 * Random()));
  }

  std::mt19937 random_{11};
  // Nobody waits inside a call: there is one thread.
  Endpoint endpoint_{{.queries_per_second = 1000, .burst = 1000, .longest_wait = {}}, vault, clock};
  std::unique_ptr<Session> session_;
  std::vector<Object> objects_;
  std::priority_queue<Due> due_;
};

TEST(Recovery, FiveThousandObjectsLogInOnceAndSpareASealedVault) {
  Crowd crowd(5000);
  const MonotonicTime start = crowd.clock.Monotonic();
  crowd.RunFor(2min);
  EXPECT_TRUE(crowd.AllGoodAfter(start));
  EXPECT_EQ(crowd.vault.logins, 1);

  crowd.vault.is_sealed = true;
  crowd.vault.requests = 0;
  crowd.RunFor(10min);
  EXPECT_EQ(crowd.vault.requests, 1);  // who found out
  EXPECT_GE(crowd.vault.probes, 100);
  EXPECT_LE(crowd.vault.probes, 121);  // one in five seconds

  crowd.vault.is_sealed = false;
  const MonotonicTime unsealed = crowd.clock.Monotonic();
  crowd.RunFor(2min);
  const auto recovered = crowd.AllGoodAfter(unsealed);
  ASSERT_TRUE(recovered);
  EXPECT_LE(*recovered, Duration(15s));
  EXPECT_EQ(crowd.vault.logins, 1);
}

}  // namespace
}  // namespace tracekeeper::vault
