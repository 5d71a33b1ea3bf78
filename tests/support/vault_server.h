#pragma once
// VaultServer is a real Vault (tools/vault) for one test: TLS with an authority of its own, raft
// storage, an audit file, initialised with one key share and unsealed.
//
//   auto vault = VaultServer::Start();
//   ASSERT_TRUE(vault) << vault.error().message;
//   ASSERT_TRUE((*vault)->Write("sys/mounts/kv", R"({"type":"kv","options":{"version":"2"}})"));
//
// Threads:  one thread at a time; see ChildProcess for the thread that starts it.
// Owner:    the test. The program ends with the object, and also when the test crashes.
// Failure:  an Error with the tail of its log when it does not start; "is not built" without
//           tools/setup.sh vault.
// Cost:     3 to 5 s to start, 200 MiB.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/crypto/certificate.h"
#include "src/net/transport.h"
#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::test_support {

class VaultServer {
 public:
  static Result<std::unique_ptr<VaultServer>> Start();

  /// "https://127.0.0.1:PORT"
  [[nodiscard]] const std::string& url() const { return url_; }
  /// Signed the server's certificate; clients trust it, and the server trusts theirs.
  [[nodiscard]] const crypto::CertificatePair& authority() const { return *authority_; }
  [[nodiscard]] const std::string& root_token() const { return root_token_; }

  /// A transport to it; with a certificate to show where one is given.
  Result<std::unique_ptr<net::Transport>> Connect(
      const std::shared_ptr<const crypto::CertificatePair>& certificate = nullptr) const;

  /// POST below /v1/ with the root token: the body of the answer, or an Error with what it says.
  Result<std::string> Write(std::string_view path, std::string_view json);
  Result<std::string> Read(std::string_view path);
  Status Delete(std::string_view path);

  Status Seal();
  /// Returns when it is active again.
  Status Unseal();
  /// SIGKILL, then the same storage, port and key.
  Status Restart();
  /// SIGSTOP and SIGCONT: connections stay open and go silent.
  void Pause() { process_->Signal(SIGSTOP); }
  void Resume() { process_->Signal(SIGCONT); }

  [[nodiscard]] std::string AuditLog() const;
  [[nodiscard]] std::string Log() const { return process_->ReadLog(); }

 private:
  VaultServer() : folder_("vault") {}
  Status MakeCertificates();
  Status WriteConfiguration() const;
  Status Launch();
  Status Initialise();
  Status WaitUntilActive();
  Result<net::Response> Ask(std::string_view method, std::string_view path, std::string_view json);
  Result<std::string> Demand(std::string_view method, std::string_view path, std::string_view json);

  TemporaryFolder folder_;
  std::uint16_t port_ = 0;
  std::uint16_t cluster_port_ = 0;
  std::string url_;
  std::optional<crypto::CertificatePair> authority_;
  std::unique_ptr<net::Transport> transport_;
  std::string root_token_;
  std::string unseal_key_;
  std::optional<ChildProcess> process_;
};

/// VaultServer::Start() for a test: when it fails, so does the current test, and there is none.
std::unique_ptr<VaultServer> StartVault();

}  // namespace tracekeeper::test_support
