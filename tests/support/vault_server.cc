#include "tests/support/vault_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "src/codec/json_value.h"
#include "src/codec/json_writer.h"
#include "src/crypto/certificate_maker.h"
#include "src/net/transports.h"
#include "tests/support/built_program.h"
#include "tests/support/eventually.h"
#include "tests/support/free_port.h"

namespace tracekeeper::test_support {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::seconds kStartLimit{60};

Status WriteFile(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return Fail(ErrorKind::kInternal, "write {}", path.string());
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  return {};
}

std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

Result<std::unique_ptr<VaultServer>> VaultServer::Start() {
  std::unique_ptr<VaultServer> server(new VaultServer());
  server->port_ = FreePort();
  server->cluster_port_ = FreePort();
  server->url_ = fmt::format("https://127.0.0.1:{}", server->port_);
  fs::create_directory(server->folder_ / "raft");
  TRY(server->MakeCertificates());
  TRY(server->WriteConfiguration());
  server->transport_ = TRY(server->Connect());
  TRY(server->Launch());
  TRY(server->Initialise());
  TRY(server->Unseal());
  codec::JsonWriter audit;
  audit.BeginObject().Member("type", "file").Key("options").BeginObject();
  audit.Member("file_path", (server->folder_ / "audit.log").string()).EndObject().EndObject();
  TRY(server->Write("sys/audit/file", audit.text()));
  return server;
}

Status VaultServer::MakeCertificates() {
  const crypto::CertificateValidity validity{.now = SystemClock().Now(),
                                             .lifetime = std::chrono::hours(24)};
  authority_ = TRY(crypto::MakeCertificateAuthority("vault test authority", validity));
  const auto server = TRY(crypto::IssueCertificate(
      *authority_, {.common_name = "vault", .ip_addresses = {"127.0.0.1"}}, validity));
  TRY(WriteFile(folder_ / "ca.crt", authority_->chain_pem()));
  TRY(WriteFile(folder_ / "tls.crt", server.chain_pem()));
  return WriteFile(folder_ / "tls.key", server.private_key_pem().Reveal());
}

Status VaultServer::WriteConfiguration() const {
  codec::JsonWriter json;
  json.BeginObject().Key("disable_mlock").Bool(true).Key("ui").Bool(false);
  json.Member("api_addr", url_);
  json.Member("cluster_addr", fmt::format("https://127.0.0.1:{}", cluster_port_));
  json.Key("storage").BeginObject().Key("raft").BeginObject();
  json.Member("path", (folder_ / "raft").string()).Member("node_id", "one");
  json.Member("performance_multiplier", "1").EndObject().EndObject();  // elects itself sooner
  json.Key("listener").BeginObject().Key("tcp").BeginObject();
  json.Member("address", fmt::format("127.0.0.1:{}", port_));
  json.Member("cluster_address", fmt::format("127.0.0.1:{}", cluster_port_));
  json.Member("tls_cert_file", (folder_ / "tls.crt").string());
  json.Member("tls_key_file", (folder_ / "tls.key").string());
  json.Member("tls_client_ca_file", (folder_ / "ca.crt").string());
  json.EndObject().EndObject().EndObject();
  return WriteFile(folder_ / "vault.json", json.text());
}

Status VaultServer::Launch() {
  const fs::path program = TRY(BuiltProgram("vault", ""));
  process_.reset();  // two at once would fight for the port
  process_ = TRY(ChildProcess::Start(
      {.argv = {program.string(), "server", "-config=" + (folder_ / "vault.json").string()}},
      folder_ / "vault.log"));
  const bool answers = Eventually(
      [&] { return !process_->IsRunning() || Ask("GET", "sys/seal-status", {}).has_value(); },
      kStartLimit);
  if (answers && process_->IsRunning()) return {};
  const std::string log = Log();
  constexpr std::size_t kTail = 2000;
  return Fail(ErrorKind::kUnavailable, "Vault did not start: {}",
              log.substr(log.size() - std::min(log.size(), kTail)));
}

Status VaultServer::Initialise() {
  const std::string answer =
      TRY(Demand("PUT", "sys/init", R"({"secret_shares":1,"secret_threshold":1})"));
  codec::JsonParser parser;
  const codec::JsonValue root = TRY(parser.Parse(answer));
  for (const codec::JsonValue key : root["keys_base64"].Elements()) {
    unseal_key_ = key.StringOr("");
  }
  root_token_ = root["root_token"].StringOr("");
  return {};
}

Status VaultServer::Unseal() {
  codec::JsonWriter json;
  json.BeginObject().Member("key", unseal_key_).EndObject();
  TRY(Demand("PUT", "sys/unseal", json.text()));
  return WaitUntilActive();
}

Status VaultServer::WaitUntilActive() {
  const bool is_active = Eventually(
      [&] {
        const auto health = Ask("GET", "sys/health", {});
        return health && health->status == 200;
      },
      kStartLimit);
  if (!is_active) return Fail(ErrorKind::kUnavailable, "Vault did not become active: {}", Log());
  return {};
}

Status VaultServer::Seal() {
  TRY(Demand("PUT", "sys/seal", {}));
  return {};
}

Status VaultServer::Restart() {
  TRY(Launch());
  return Unseal();
}

Result<std::unique_ptr<net::Transport>> VaultServer::Connect(
    const std::shared_ptr<const crypto::CertificatePair>& certificate) const {
  net::TransportOptions options{.name = "Vault", .base_url = url_};
  options.authorities_pem = [pem = authority_->chain_pem()] { return Result<std::string>(pem); };
  if (certificate) {
    options.client_certificate = [certificate] {
      return Result<std::shared_ptr<const crypto::CertificatePair>>(certificate);
    };
  }
  return net::MakeBeastTransport(std::move(options));
}

Result<net::Response> VaultServer::Ask(std::string_view method, std::string_view path,
                                       std::string_view json) {
  net::Request request;
  request.method = method;
  request.target = fmt::format("/v1/{}", path);
  request.body = json;
  if (!root_token_.empty()) request.headers.Add("X-Vault-Token", root_token_);
  return transport_->Send(request, {}, {});
}

Result<std::string> VaultServer::Demand(std::string_view method, std::string_view path,
                                        std::string_view json) {
  net::Response response = TRY(Ask(method, path, json));
  if (response.status < 300) return std::move(response.body);
  return Fail(ErrorKind::kInvalid, "{} {}: {} {}", method, path, response.status, response.body);
}

Result<std::string> VaultServer::Write(std::string_view path, std::string_view json) {
  return Demand("POST", path, json);
}

Result<std::string> VaultServer::Read(std::string_view path) { return Demand("GET", path, {}); }

Status VaultServer::Delete(std::string_view path) {
  TRY(Demand("DELETE", path, {}));
  return {};
}

std::string VaultServer::AuditLog() const { return ReadText(folder_ / "audit.log"); }

std::unique_ptr<VaultServer> StartVault() {
  auto server = VaultServer::Start();
  if (server) return *std::move(server);
  ADD_FAILURE() << server.error().message;
  return nullptr;
}

}  // namespace tracekeeper::test_support
