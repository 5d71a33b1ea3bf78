#pragma once
// RealVault is what the tests against a real Vault share: the server, an endpoint to it on the real
// clock, and a Caller with the root token.
//
// Threads:  one.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "src/base/clock.h"
#include "src/vault/endpoint.h"
#include "src/vault/session.h"
#include "tests/src/vault/fixture.h"
#include "tests/support/vault_server.h"

namespace tracekeeper::vault {

class RealVault : public testing::Test {
 protected:
  void SetUp() override {
    server = test_support::StartVault();
    ASSERT_NE(server, nullptr);
    auto connected = server->Connect();
    ASSERT_TRUE(connected) << connected.error().message;
    transport = *std::move(connected);
    endpoint.emplace(EndpointOptions{.on_circuit = {}}, *transport, clock, metrics);
    root.emplace(*endpoint, server->root_token(), "");
  }

  /// Set up by the root token; a failure ends up in the test's report.
  void Write(std::string_view path, std::string_view json) {
    const auto written = server->Write(path, json);
    EXPECT_TRUE(written) << written.error().message;
  }
  void Mount(std::string_view path, std::string_view type, std::string_view more = "{}") {
    Write("sys/mounts/" + std::string(path),
          R"({"type":")" + std::string(type) + R"(","options":)" + std::string(more) + "}");
  }
  void AllowAll(std::string_view policy, std::string_view path) {
    Write(
        "sys/policies/acl/" + std::string(policy),
        R"({"policy":"path \")" + std::string(path) +
            R"(\" { capabilities = [\"create\",\"read\",\"update\",\"delete\",\"list\",\"patch\"] }"})");
  }
  /// A member of the data of what is at `path`.
  std::string ReadMember(std::string_view path, std::string_view member) {
    const auto body = server->Read(path);
    EXPECT_TRUE(body) << body.error().message;
    return body ? MemberOf(*body, member) : std::string();
  }
  std::string WriteForMember(std::string_view path, std::string_view json,
                             std::string_view member) {
    const auto body = server->Write(path, json);
    EXPECT_TRUE(body) << body.error().message;
    return body ? MemberOf(*body, member) : std::string();
  }
  static std::string MemberOf(const std::string& body, std::string_view member) {
    codec::JsonParser parser;
    const auto document = parser.Parse(body);
    return document ? std::string((*document)["data"][member].StringOr("")) : std::string();
  }
  std::unique_ptr<Session> MakeSession(Result<std::unique_ptr<Login>> login) {
    EXPECT_TRUE(login) << login.error().message;
    return std::make_unique<Session>(SessionOptions{.random = [] { return 0.0; }}, *endpoint,
                                     *std::move(login), clock);
  }

  std::unique_ptr<test_support::VaultServer> server;
  std::unique_ptr<net::Transport> transport;
  SystemClock clock;
  RecordedMetrics metrics;
  std::optional<Endpoint> endpoint;
  std::optional<FixedToken> root;
  const StopToken stop;
};

/// Answers that the provider of a login gives.
inline SecretProvider Gives(std::string secret) {
  return [secret = std::move(secret)](const StopToken&) {
    return Result<crypto::SecretString>(crypto::SecretString(secret));
  };
}

}  // namespace tracekeeper::vault
