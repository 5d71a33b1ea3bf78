// DEPENDS: tracekeeper::kube
//
// A kubeconfig is written by people and tools: any text must give a configuration or a sentence,
// and merging a file with itself must change nothing.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/kube/kubeconfig.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tracekeeper::kube;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto kubeconfig = ParseKubeconfig(text, "/etc/kubeconfig");
  if (!kubeconfig) {
    if (kubeconfig.error().message.empty()) std::abort();
    return 0;
  }
  const auto config = Resolve(*kubeconfig, "", "kubeconfig");
  const auto again = Resolve(Merge(*kubeconfig, *kubeconfig), "", "kubeconfig");
  if (config.has_value() != again.has_value()) std::abort();
  if (!config) return 0;
  // What is let through can be connected to, and hides no second host behind an @.
  if (config->server != again->server || config->server.find('@') != std::string::npos)
    std::abort();
  if (config->client_certificate.empty() != config->client_key.empty()) std::abort();
  for (const auto& context : kubeconfig->contexts) {
    (void)Resolve(*kubeconfig, context.name, "kubeconfig");
  }
  return 0;
}
