#include <cstdio>
#include <string>
#include <variant>

#include "operator/app/options.h"
#include "operator/app/wiring.h"
#include "src/crypto/secret_process.h"
#include "src/net/transports.h"
#include "src/runtime/stop_on_signal.h"

using namespace tracekeeper;

namespace {

int Failed(const Error& error) {
  std::fputs(("tracekeeper-operator: " + error.message + "\n").c_str(), stderr);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = app::ParseOptions(argc, argv);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;

  if (const Status secret = crypto::BecomeSecretProcess(); !secret) return Failed(secret.error());
  const runtime::StopOnSignal signals;  // before any thread: all inherit its signal mask
  if (const Status sized = net::InitializeCpprest(); !sized) return Failed(sized.error());
  auto wiring = app::Wiring::Make(std::get<app::Options>(parsed), signals.token());
  if (!wiring) return Failed(wiring.error());
  const Status end = (*wiring)->Run(signals.token());
  return end ? 0 : Failed(end.error());
}
