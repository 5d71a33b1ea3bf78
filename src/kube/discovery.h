#pragma once
// Discovery asks a cluster what it is and what we may do in it: for `doctor`, and for falling back
// where a kind is not served.
//
// Threads:  safe from any thread; each function makes one or two calls through the Client.
// Failure:  the Client's errors.

#include <string>

#include "src/base/result.h"
#include "src/kube/client.h"
#include "src/kube/resource.h"

namespace tracekeeper::kube {

struct ServerVersion {
  std::string git_version;  // "v1.34.4"
  int major = 0;
  int minor = 0;  // "34+" of some vendors reads as 34
};

Result<ServerVersion> GetServerVersion(Client& client, const StopToken& stop);

/// Whether group, version and plural are served.
Result<bool> ServesResource(Client& client, const Resource& resource, const StopToken& stop);

struct AccessQuestion {
  std::string verb;  // "get", "patch"
  std::string group;
  std::string resource;  // plural
  std::string subresource;
  std::string namespace_name;  // empty: in all namespaces
  std::string name;
};

struct AccessAnswer {
  bool allowed = false;
  std::string reason;  // what the authorizer said
};

/// SelfSubjectAccessReview: may we?
Result<AccessAnswer> MayI(Client& client, const AccessQuestion& question, const StopToken& stop);

}  // namespace tracekeeper::kube
