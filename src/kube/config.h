#pragma once
// Config finds the cluster and who we are in it: a kubeconfig file, or the service account that
// Kubernetes mounts into a pod. It reads; it opens no connection.
//
// Order:    the flag, KUBECONFIG (a list of files, merged: the first to set a value wins), the
//           pod's own service account, ~/.kube/config.
// Threads:  pure but for reading files; called at start.
// Failure:  a sentence that names the file, the context and what to change. Refused: exec plug-ins
//           and auth-provider (an operator has no browser and runs no foreign program), passwords,
//           impersonation, proxy-url, and insecure-skip-tls-verify.
// Limits:   kMaxKubeconfigBytes a file, kMaxKubeconfigFiles files; depth as codec/yaml.h has it.
// Source:   client-go's tools/clientcmd (merging, relative file names).

#include <cstddef>
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
  std::string server;                // scheme, host, port: "https://10.0.0.1:6443"
  std::string path_prefix;           // of servers behind a gateway: "/k8s/clusters/c-1"
  std::string tls_server_name;       // empty: the host of `server`
  DataOrFile certificate_authority;  // PEM; absent: the system's
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

}  // namespace tracekeeper::kube
