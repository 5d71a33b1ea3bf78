#pragma once
// Kubeconfig is the file format of kubectl: clusters, users, and contexts that pair them. Reading
// gives values; Merge and Resolve are pure.
//
// Threads:  pure functions.
// Failure:  kDecode for text that is no kubeconfig, kInvalid for one that names what is not there
// or
//           uses what we refuse (config.h), each with a sentence.

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/kube/config.h"

namespace tracekeeper::kube {

struct Kubeconfig {
  struct Cluster {
    std::string name;
    std::string server;
    std::string tls_server_name;
    std::string proxy_url;
    bool insecure_skip_tls_verify = false;
    DataOrFile certificate_authority;
  };
  struct User {
    std::string name;
    DataOrFile token;
    DataOrFile client_certificate;
    DataOrFile client_key;
    /// The field of this entry that we refuse, as it stands in the file: "exec".
    std::string refused_field;
  };
  struct Context {
    std::string name;
    std::string cluster;
    std::string user;
    std::string namespace_name;
  };

  std::vector<Cluster> clusters;
  std::vector<User> users;
  std::vector<Context> contexts;
  std::string current_context;
};

/// Reads one document. `path` is for messages, and its folder for relative file names.
Result<Kubeconfig> ParseKubeconfig(std::string_view yaml, std::string_view path);

/// Adds to `first` what it does not have: the first file to name something wins.
Kubeconfig Merge(Kubeconfig first, Kubeconfig second);

/// The Config of `context`, or of the current context where that is empty.
Result<Config> Resolve(const Kubeconfig& kubeconfig, std::string_view context,
                       std::string_view origin);

}  // namespace tracekeeper::kube
