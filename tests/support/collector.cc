#include "tests/support/collector.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/support/built_program.h"
#include "tests/support/eventually.h"
#include "tests/support/free_port.h"
#include "tests/support/spawn.h"

namespace tracekeeper::test_support {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::seconds kStartLimit{30};

bool Listens(std::uint16_t port) {
  const FileHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

std::string ReadText(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// Collects the spanId of every span in the text. Not by a JSON parser: a Collector that was killed
/// leaves half a line, which the next one continues.
std::set<std::string> SpanIdsIn(std::string_view text) {
  constexpr std::string_view kKey = "\"spanId\":\"";
  constexpr std::size_t kDigits = 16;
  std::set<std::string> ids;
  for (std::size_t at = text.find(kKey); at != std::string_view::npos; at = text.find(kKey, at)) {
    at += kKey.size();
    ids.emplace(text.substr(at, kDigits));
  }
  return ids;
}

}  // namespace

Result<Collector> Collector::Start(CollectorOptions options) {
  Collector collector(std::move(options));
  if (collector.options_.grpc_port == 0) collector.options_.grpc_port = FreePort();
  if (collector.options_.http_port == 0) collector.options_.http_port = FreePort();
  TRY(collector.WriteConfiguration());
  TRY(collector.StartAgain());
  return collector;
}

std::string Collector::Endpoint(std::uint16_t port) const {
  return fmt::format("{}://127.0.0.1:{}", options_.certificate_file.empty() ? "http" : "https",
                     port);
}

Status Collector::WriteConfiguration() const {
  std::string tls;
  if (!options_.certificate_file.empty()) {
    tls = fmt::format(", tls: {{cert_file: {}, key_file: {}{}}}", options_.certificate_file,
                      options_.key_file,
                      options_.client_authority_file.empty()
                          ? ""
                          : ", client_ca_file: " + options_.client_authority_file);
  }
  const bool has_token = !options_.token_file.empty();
  const std::string auth = has_token ? ", auth: {authenticator: bearertokenauth}" : "";
  std::ofstream file(options_.folder / "collector.yaml");
  file << fmt::format(R"(receivers:
  otlp:
    protocols:
      grpc: {{endpoint: 127.0.0.1:{}{}{}}}
      http: {{endpoint: 127.0.0.1:{}{}{}}}
exporters:
  file: {{path: {}, append: true, flush_interval: 50ms}}
)",
                      options_.grpc_port, tls, auth, options_.http_port, tls, auth,
                      (options_.folder / "collected.jsonl").string());
  if (has_token) {
    file << fmt::format("extensions:\n  bearertokenauth: {{filename: {}}}\n", options_.token_file);
  }
  file << "service:\n";
  if (has_token) file << "  extensions: [bearertokenauth]\n";
  file << R"(  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [file]}
    metrics: {receivers: [otlp], exporters: [file]}
    logs: {receivers: [otlp], exporters: [file]}
)";
  file.close();
  if (!file) return Fail(ErrorKind::kInternal, "write {}/collector.yaml", options_.folder.string());
  return {};
}

Status Collector::StartAgain() {
  const fs::path program = TRY(BuiltProgram("otelcol", "otelcol"));
  process_ = TRY(ChildProcess::Start(
      {.argv = {program.string(), "--config", (options_.folder / "collector.yaml").string()}},
      options_.folder / "collector.log"));
  const bool listens = Eventually(
      [&] {
        return !process_->IsRunning() ||
               (Listens(options_.grpc_port) && Listens(options_.http_port));
      },
      kStartLimit);
  if (!listens || !process_->IsRunning()) {
    return Fail(ErrorKind::kUnavailable, "the Collector did not start: {}", Log());
  }
  return {};
}

void Collector::Stop(int signal) {
  process_->Signal(signal);
  process_->Wait(std::chrono::seconds(20));
}

std::set<std::string> Collector::SpanIds() const { return SpanIdsIn(Written()); }

bool Collector::WaitForSpans(const std::set<std::string>& wanted,
                             std::chrono::milliseconds limit) const {
  return Eventually(
      [&] {
        const std::set<std::string> there = SpanIds();
        return std::includes(there.begin(), there.end(), wanted.begin(), wanted.end());
      },
      limit);
}

std::string Collector::Written() const { return ReadText(options_.folder / "collected.jsonl"); }

std::string Collector::Log() const { return ReadText(options_.folder / "collector.log"); }

}  // namespace tracekeeper::test_support
