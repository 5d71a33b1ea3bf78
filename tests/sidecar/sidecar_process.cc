#include "tests/sidecar/sidecar_process.h"

#include <fmt/core.h>

#include <chrono>
#include <thread>

#include "src/net/transports.h"
#include "tests/support/eventually.h"
#include "tests/support/folders.h"
#include "tests/support/free_port.h"

namespace tracekeeper::sidecar {
namespace {

using test_support::ChildProcess;
constexpr std::chrono::seconds kLimit{20};
constexpr std::string_view kListened = "msg=Listened";

/// The port that the server logged when it listened.
Result<int> LoggedPort(const std::string& log) {
  constexpr std::string_view kKey = " port=";
  const std::size_t line = log.find(kListened);
  const std::size_t at = log.find(kKey, line);
  if (at == std::string::npos) return Fail(ErrorKind::kInternal, "no port in: {}", log);
  return std::stoi(log.substr(at + kKey.size()));
}

std::vector<std::string> Arguments(const std::string& file, int port) {
  return {test_support::Program("tracekeeper-sidecar"),
          "--config",
          file,
          "--status-address",
          "127.0.0.1",
          "--status-port",
          std::to_string(port)};
}

Result<std::unique_ptr<net::Transport>> MakeTransport(int port) {
  return net::MakeBeastTransport(
      {.name = "sidecar", .base_url = fmt::format("http://127.0.0.1:{}", port)});
}

}  // namespace

Result<SidecarProcess> SidecarProcess::Start(const std::string& file,
                                             const std::filesystem::path& log,
                                             std::vector<std::string> flags) {
  std::vector<std::string> argv = Arguments(file, 0);
  argv.insert(argv.end(), flags.begin(), flags.end());
  ChildProcess process = TRY(ChildProcess::Start({.argv = std::move(argv)}, log));
  if (!process.WaitForLog(kListened, kLimit)) {
    return Fail(ErrorKind::kInternal, "the sidecar did not start: {}", process.ReadLog());
  }
  const int port = TRY(LoggedPort(process.ReadLog()));
  return SidecarProcess(std::move(process), port, TRY(MakeTransport(port)));
}

Result<SidecarProcess> SidecarProcess::StartOnAFullDisk(const std::string& file) {
  const int port = test_support::FreePort();
  ChildProcess process = TRY(ChildProcess::Start({.argv = Arguments(file, port)}, "/dev/full"));
  SidecarProcess sidecar(std::move(process), port, TRY(MakeTransport(port)));
  const bool answers =
      test_support::Eventually([&] { return sidecar.Get("/healthz").has_value(); }, kLimit);
  if (answers) return sidecar;
  return Fail(ErrorKind::kInternal, "the sidecar does not answer on port {}", port);
}

Result<net::Response> SidecarProcess::Get(const std::string& target) {
  return transport_->Send({.target = target}, {.deadline = std::chrono::seconds(5)}, StopToken());
}

std::string SidecarProcess::WaitForBody(const std::string& target, const std::string& text) {
  const auto end = std::chrono::steady_clock::now() + kLimit;
  while (true) {
    const auto response = Get(target);
    const std::string body = response ? response->body : response.error().message;
    if (body.find(text) != std::string::npos || std::chrono::steady_clock::now() > end) return body;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace tracekeeper::sidecar
