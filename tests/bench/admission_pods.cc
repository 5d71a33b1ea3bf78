#include "tests/bench/admission_pods.h"

#include <fmt/format.h>

#include "src/codec/json_writer.h"

namespace tracekeeper::bench {
namespace {

using codec::JsonWriter;

void WriteManagedFields(JsonWriter& json, const PodShape& shape) {
  json.Key("managedFields").BeginArray().BeginObject();
  json.Member("manager", "kube-controller-manager").Member("operation", "Update");
  json.Member("apiVersion", "v1").Member("time", "2026-11-22T19:20:00Z");
  json.Member("fieldsType", "FieldsV1").Key("fieldsV1").BeginObject();
  json.Key("f:spec").BeginObject().Key("f:containers").BeginObject();
  for (std::size_t i = 0; i < shape.containers; ++i) {
    json.Key(fmt::format(R"(k:{{"name":"app-{}"}})", i)).BeginObject();
    for (const char* field : {"f:image", "f:imagePullPolicy", "f:name", "f:ports", "f:resources",
                              "f:terminationMessagePath", "f:terminationMessagePolicy"}) {
      json.Key(field).BeginObject().EndObject();
    }
    json.EndObject();
  }
  json.EndObject().EndObject().EndObject().EndObject().EndArray();
}

void WriteContainer(JsonWriter& json, const PodShape& shape, std::size_t index) {
  json.BeginObject().Member("name", fmt::format("app-{}", index));
  json.Member("image", fmt::format("registry.example.com/shop/service-{}:1.{}.7", index, index));
  json.Key("ports").Raw(R"([{"name":"http","containerPort":8080,"protocol":"TCP"}])");
  json.Key("env").BeginArray();
  for (std::size_t i = 0; i < shape.variables; ++i) {
    json.BeginObject().Member("name", fmt::format("SETTING_{}", i));
    json.Member("value", fmt::format("value-of-setting-{}", i)).EndObject();
  }
  json.EndArray();
  json.Key("resources")
      .Raw(R"({"limits":{"cpu":"1","memory":"512Mi"},"requests":{"cpu":"100m","memory":"128Mi"}})");
  json.Key("volumeMounts")
      .Raw(
          R"([{"name":"data","mountPath":"/data"},{"name":"kube-api-access-x2x4z","readOnly":true,)"
          R"("mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}])");
  json.Key("livenessProbe")
      .Raw(R"({"httpGet":{"path":"/healthz","port":8080,"scheme":"HTTP"},"timeoutSeconds":1,)"
           R"("periodSeconds":10,"successThreshold":1,"failureThreshold":3})");
  json.Member("terminationMessagePath", "/dev/termination-log");
  json.Member("terminationMessagePolicy", "File").Member("imagePullPolicy", "IfNotPresent");
  json.EndObject();
}

}  // namespace

std::string MakePod(const PodShape& shape) {
  JsonWriter json;
  json.BeginObject().Member("kind", "Pod").Member("apiVersion", "v1");
  json.Key("metadata").BeginObject().Member("generateName", "checkout-7c9d8f6b5-");
  json.Member("namespace", "shop").Key("creationTimestamp").Null();
  json.Key("labels").Raw(
      R"({"app.kubernetes.io/name":"checkout","app":"checkout","pod-template-hash":"7c9d8f6b5"})");
  json.Key("annotations").Raw(R"({"prometheus.io/scrape":"true","prometheus.io/port":"8080"})");
  json.Key("ownerReferences")
      .Raw(R"([{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"checkout-7c9d8f6b5",)"
           R"("uid":"0b3c9b4e-5a0e-4a53-9a53-0a5a1f3f7c11","controller":true,)"
           R"("blockOwnerDeletion":true}])");
  if (shape.managed_fields) WriteManagedFields(json, shape);
  json.EndObject().Key("spec").BeginObject();
  json.Key("volumes").Raw(
      R"([{"name":"data","emptyDir":{}},{"name":"kube-api-access-x2x4z","projected":{"sources":[)"
      R"({"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"name":)"
      R"("kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}}],"defaultMode":420}}])");
  json.Key("containers").BeginArray();
  for (std::size_t i = 0; i < shape.containers; ++i) WriteContainer(json, shape, i);
  json.EndArray().Member("restartPolicy", "Always");
  json.Key("terminationGracePeriodSeconds").Integer(30);
  json.Member("dnsPolicy", "ClusterFirst").Member("serviceAccountName", "checkout");
  json.Member("serviceAccount", "checkout").Key("securityContext").BeginObject().EndObject();
  json.Member("schedulerName", "default-scheduler");
  json.Key("tolerations")
      .Raw(R"([{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute",)"
           R"("tolerationSeconds":300}])");
  json.Key("priority").Integer(0).Key("enableServiceLinks").Bool(true);
  json.Member("preemptionPolicy", "PreemptLowerPriority").EndObject();
  json.Key("status").BeginObject().EndObject().EndObject();
  return json.Take();
}

}  // namespace tracekeeper::bench
