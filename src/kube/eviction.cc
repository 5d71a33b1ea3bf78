#include "src/kube/eviction.h"

#include <fmt/format.h>

#include "src/codec/json_writer.h"

namespace tracekeeper::kube {

Status EvictPod(Client& client, const ObjectKey& pod, std::string_view uid, const StopToken& stop) {
  codec::JsonWriter json;
  json.BeginObject().Member("apiVersion", "policy/v1").Member("kind", "Eviction");
  json.Key("metadata").BeginObject();
  json.Member("namespace", pod.namespace_name).Member("name", pod.name).EndObject();
  json.Key("deleteOptions").BeginObject().Key("preconditions").BeginObject();
  json.Member("uid", uid).EndObject().EndObject().EndObject();
  const auto answer =
      client.Call({.method = "POST",
                   .target = fmt::format("/api/v1/namespaces/{}/pods/{}/eviction",
                                         pod.namespace_name, pod.name),
                   .content_type = "application/json",
                   .body = json.Take(),
                   .what = fmt::format("evict pod {}/{}", pod.namespace_name, pod.name)},
                  stop);
  if (!answer) return Fail(answer.error());
  return {};
}

}  // namespace tracekeeper::kube
