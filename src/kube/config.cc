#include "src/kube/config.h"

#include <fmt/core.h>

#include <cstdlib>
#include <vector>

#include "src/kube/file_contents.h"
#include "src/kube/kubeconfig.h"

namespace tracekeeper::kube {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// The entries of KUBECONFIG, without the empty ones.
std::vector<std::string> SplitList(std::string_view list) {
  std::vector<std::string> paths;
  while (!list.empty()) {
    const std::size_t colon = list.find(':');
    const std::string_view path = list.substr(0, colon);
    if (!path.empty()) paths.emplace_back(path);
    list = colon == std::string_view::npos ? std::string_view() : list.substr(colon + 1);
  }
  return paths;
}

/// Files of the list that do not exist are left out, as kubectl does; nullopt when none exists.
Result<std::optional<Kubeconfig>> ReadMerged(const std::vector<std::string>& paths) {
  if (paths.size() > kMaxKubeconfigFiles) {
    return Fail(ErrorKind::kInvalid, "KUBECONFIG names {} files; at most {} are read", paths.size(),
                kMaxKubeconfigFiles);
  }
  std::optional<Kubeconfig> merged;
  for (const std::string& path : paths) {
    const Result<std::string> text = ReadSmallFile(path, kMaxKubeconfigBytes);
    if (!text && text.error().kind == ErrorKind::kNotFound) continue;
    if (!text) return Fail(text.error());
    Kubeconfig next = TRY(ParseKubeconfig(*text, path));
    merged = merged ? Merge(std::move(*merged), std::move(next)) : std::move(next);
  }
  return merged;
}

bool IsReadable(const std::string& path) { return ReadSmallFile(path, 1U << 20U).has_value(); }

Config InCluster(const ConfigSearch& search) {
  const std::string& folder = search.service_account_folder;
  const bool is_ipv6 = search.service_host.find(':') != std::string::npos;
  Config config;
  config.server = is_ipv6 ? fmt::format("https://[{}]:{}", search.service_host, search.service_port)
                          : fmt::format("https://{}:{}", search.service_host, search.service_port);
  config.token.file = folder + "/token";
  config.certificate_authority.file = folder + "/ca.crt";
  if (const auto text = ReadSmallFile(folder + "/namespace", 256); text && !text->empty()) {
    config.namespace_name = text->substr(0, text->find_first_of(" \t\r\n"));
  }
  config.origin = fmt::format("service account of this pod in {}", folder);
  return config;
}

}  // namespace

ConfigSearch ConfigSearch::FromEnvironment(std::string_view kubeconfig_flag,
                                           std::string_view context_flag) {
  ConfigSearch search;
  search.kubeconfig_flag = kubeconfig_flag;
  search.context_flag = context_flag;
  search.kubeconfig_environment = Environment("KUBECONFIG");
  search.service_host = Environment("KUBERNETES_SERVICE_HOST");
  search.service_port = Environment("KUBERNETES_SERVICE_PORT");
  search.home = Environment("HOME");
  return search;
}

Result<Config> LoadConfig(const ConfigSearch& search) {
  if (!search.kubeconfig_flag.empty()) {
    const std::string& path = search.kubeconfig_flag;
    const auto text = ReadSmallFile(path, kMaxKubeconfigBytes);
    if (!text) {
      return Fail(text.error().kind,
                  "--kubeconfig: {}: name a file that is there and readable, such as "
                  "$HOME/.kube/config, or leave the flag out to use $KUBECONFIG, the pod's service "
                  "account or ~/.kube/config",
                  text.error().message);
    }
    return Resolve(TRY(ParseKubeconfig(*text, path)), search.context_flag,
                   fmt::format("kubeconfig {}", path));
  }
  if (const auto paths = SplitList(search.kubeconfig_environment); !paths.empty()) {
    const auto merged = TRY(ReadMerged(paths));
    if (!merged) {
      return Fail(ErrorKind::kNotFound,
                  "KUBECONFIG is set to {}, and no such file exists: correct or unset it",
                  search.kubeconfig_environment);
    }
    return Resolve(*merged, search.context_flag,
                   fmt::format("kubeconfig {}", search.kubeconfig_environment));
  }
  const bool is_in_pod = !search.service_host.empty() && !search.service_port.empty();
  // A context can only be meant for a file.
  if (is_in_pod && search.context_flag.empty() &&
      IsReadable(search.service_account_folder + "/token")) {
    return InCluster(search);
  }
  if (!search.home.empty()) {
    const std::string path = search.home + "/.kube/config";
    if (const auto found = TRY(ReadMerged({path}))) {
      return Resolve(*found, search.context_flag, fmt::format("kubeconfig {}", path));
    }
  }
  if (is_in_pod) {
    return Fail(ErrorKind::kNotFound,
                "this pod has no service account token in {}: set automountServiceAccountToken: "
                "true, or pass --kubeconfig",
                search.service_account_folder);
  }
  return Fail(ErrorKind::kNotFound,
              "no cluster is configured: pass --kubeconfig FILE, set KUBECONFIG, or run in a pod "
              "(looked for {}/.kube/config too)",
              search.home.empty() ? "~" : search.home);
}

}  // namespace tracekeeper::kube
