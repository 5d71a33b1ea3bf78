#include "src/kube/eviction.h"

#include "src/codec/json_writer.h"

namespace tracekeeper::kube {

Status EvictPod(Client& client, const ObjectKey& pod, std::string_view uid, const StopToken& stop) {
  codec::JsonWriter json;
  json.BeginObject().Member("apiVersion", "policy/v1").Member("kind", "Eviction");
  json.Key("metadata").BeginObject();
  json.Member("namespace", pod.namespace_name).Member("name", pod.name).EndObject();
  json.Key("deleteOptions").BeginObject().Key("preconditions").BeginObject();
  json.Member("uid", uid).EndObject().EndObject().EndObject();
  const auto answer = client.Call({.method = "POST",
                                   .target = kPods.ObjectPath(pod, "eviction"),
                                   .content_type = "application/json",
                                   .body = json.Take(),
                                   .what = "evict pod " + pod.ToString()},
                                  stop);
  if (!answer) return Fail(answer.error());
  return {};
}

}  // namespace tracekeeper::kube
