#pragma once
// Config finds the cluster and who we are in it: a kubeconfig file, or the service account that
// Kubernetes mounts into a pod. It reads; it opens no connection.
//
// Order:    the flag, KUBECONFIG (a list of files, merged: the first to set a value wins), the
//           pod's own service account, ~/.kube/config.
// Threads:  pure but for reading files; called at start.
// Failure:  a sentence that names the file, the context and what to change. Exec plug-ins and
//           auth-provider are refused: an operator has no browser and runs no foreign program.
// Limits:   kMaxKubeconfigBytes a file, kMaxKubeconfigFiles files; depth as codec/yaml.h has it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::kube {

inline constexpr std::size_t kMaxKubeconfigBytes = 1U << 20U;
inline constexpr std::size_t kMaxKubeconfigFiles = 32;

/// Bytes that stand in the configuration itself, or in a file that is read again when it changes.
/// Both empty: absent.
struct DataOrFile {
  std::string data;
  std::string file;

  [[nodiscard]] bool empty() const { return data.empty() && file.empty(); }
  bool operator==(const DataOrFile&) const = default;
};

struct Config {
  std::string server;           // "https://10.0.0.1:6443", no slash at the end
  std::string tls_server_name;  // empty: the host of `server`
  bool insecure_skip_tls_verify = false;
  DataOrFile certificate_authority;  // PEM
  DataOrFile client_certificate;     // PEM
  DataOrFile client_key;             // PEM
  DataOrFile token;
  std::string namespace_name = "default";
  /// Where this came from, for people: "kubeconfig /home/ada/.kube/config, context prod".
  std::string origin;
};

/// Where to look. Everything outside the process comes in here, so tests need no environment.
struct ConfigSearch {
  std::string kubeconfig_flag;  // --kubeconfig; empty: not given
  std::string context_flag;     // --context; empty: current-context
  std::string kubeconfig_environment;
  std::string service_host;  // KUBERNETES_SERVICE_HOST
  std::string service_port;  // KUBERNETES_SERVICE_PORT
  std::string home;
  std::string service_account_folder = "/var/run/secrets/kubernetes.io/serviceaccount";

  /// The flags, and the rest from the environment.
  static ConfigSearch FromEnvironment(std::string_view kubeconfig_flag = {},
                                      std::string_view context_flag = {});
};

Result<Config> LoadConfig(const ConfigSearch& search);

/// Reads one kubeconfig document. `path` is for messages and for relative file names in it.
Result<Config> ParseKubeconfig(std::string_view yaml, std::string_view path,
                               std::string_view context = {});

}  // namespace tracekeeper::kube
