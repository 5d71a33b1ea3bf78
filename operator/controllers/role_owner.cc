#include "operator/controllers/role_owner.h"

namespace tracekeeper::controllers {

Result<std::optional<kube::OwnerReference>> ReadRoleOwner(kube::Client& client,
                                                          const std::string& cluster_role,
                                                          const StopToken& stop) {
  const auto role = client.Get(kube::kClusterRoles, {"", cluster_role}, stop);
  if (!role && role.error().kind == ErrorKind::kNotFound) return std::nullopt;
  if (!role) return Fail(role.error());
  return kube::OwnerReference{.api_version = kube::kClusterRoles.ApiVersion(),
                              .kind = std::string(kube::kClusterRoles.kind),
                              .name = cluster_role,
                              .uid = std::string((*role)["metadata"]["uid"].StringOr(""))};
}

}  // namespace tracekeeper::controllers
