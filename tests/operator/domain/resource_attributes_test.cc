// The decision table of OpenTelemetry's conventions for Kubernetes, generated from its normative
// order: every combination of annotation, labels, owner and image, against the first one that says
// anything. Source: semantic-conventions, docs/non-normative/k8s-attributes.md.

#include "operator/domain/resource_attributes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "operator/domain/image_reference.h"
#include "operator/domain/workload.h"
#include "tests/operator/domain/test_policies.h"

namespace tracekeeper::domain {
namespace {

struct OwnerCase {
  std::string_view name;
  std::string_view owner;   // ownerReferences' one entry; empty: none
  std::string_view labels;  // comma first
  std::string_view service;
  std::string_view attributes;  // k8s.* of the owner, in order
};

constexpr OwnerCase kOwners[] = {
    {"deployment",
     R"({"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-7c9d","controller":true})",
     R"(,"pod-template-hash":"7c9d")", "web",
     "k8s.deployment.name=web,k8s.replicaset.name=web-7c9d"},
    {"deployment_with_dashes", R"({"kind":"ReplicaSet","name":"a-b-c-7c9d","controller":true})",
     R"(,"pod-template-hash":"7c9d")", "a-b-c",
     "k8s.deployment.name=a-b-c,k8s.replicaset.name=a-b-c-7c9d"},
    {"rollout", R"({"kind":"ReplicaSet","name":"pay-55f","controller":true})",
     R"(,"rollouts-pod-template-hash":"55f")", "pay", "k8s.replicaset.name=pay-55f"},
    {"bare_replicaset", R"({"kind":"ReplicaSet","name":"solo","controller":true})", "", "solo",
     "k8s.replicaset.name=solo"},
    {"replicaset_with_foreign_hash", R"({"kind":"ReplicaSet","name":"solo-1","controller":true})",
     R"(,"pod-template-hash":"7c9d")", "solo-1", "k8s.replicaset.name=solo-1"},
    {"statefulset", R"({"kind":"StatefulSet","name":"db","controller":true})", "", "db",
     "k8s.statefulset.name=db"},
    {"daemonset", R"({"kind":"DaemonSet","name":"agent","controller":true})", "", "agent",
     "k8s.daemonset.name=agent"},
    {"cronjob", R"({"kind":"Job","name":"backup-29123456","controller":true})", "", "backup",
     "k8s.cronjob.name=backup,k8s.job.name=backup-29123456"},
    {"cronjob_of_old_clusters", R"({"kind":"Job","name":"hello-4111706356","controller":true})", "",
     "hello", "k8s.cronjob.name=hello,k8s.job.name=hello-4111706356"},
    {"job", R"({"kind":"Job","name":"migrate","controller":true})", "", "migrate",
     "k8s.job.name=migrate"},
    {"job_with_short_number", R"({"kind":"Job","name":"migrate-1234567","controller":true})", "",
     "migrate-1234567", "k8s.job.name=migrate-1234567"},
    {"job_with_a_date", R"({"kind":"Job","name":"migrate-20261122","controller":true})", "",
     "migrate-20261122", "k8s.job.name=migrate-20261122"},
    {"other_controller", R"({"kind":"ReplicationController","name":"rc","controller":true})", "",
     "rc", ""},
    {"static_pod", R"({"kind":"Node","name":"node-1","controller":true})", "", "web-1", ""},
    {"none", "", "", "web-1", ""},
};

struct ImageCase {
  std::string_view image;
  std::string_view version;
};

constexpr std::string_view kDigest =
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const std::string kTagged = fmt::format("r.test:5000/shop/cart:1.4@{}", kDigest);
const std::string kDigested = fmt::format("shop/cart@{}", kDigest);
const std::string kTagAndDigest = fmt::format("1.4@{}", kDigest);

const ImageCase kImages[] = {
    {"cart", ""},
    {"cart:1.4", "1.4"},
    {"r.test:5000/cart", ""},
    {"r.test:5000/cart:1.4-rc.1_x", "1.4-rc.1_x"},
    {kTagged, kTagAndDigest},
    {kDigested, kDigest},
    {"cart:", ""},
    {"cart:1,4", ""},
    {"cart@sha256:xyz", ""},
    {"", ""},
};

std::string FirstOf(std::initializer_list<std::string_view> values) {
  for (const std::string_view value : values) {
    if (!value.empty()) return std::string(value);
  }
  return "";
}

/// Value of `key` in a comma-separated list; "absent" where there is none.
std::string AttributeIn(std::string_view attributes, std::string_view key) {
  while (!attributes.empty()) {
    const std::size_t comma = attributes.find(',');
    const std::string_view pair = attributes.substr(0, comma);
    if (pair.starts_with(key) && pair.substr(key.size()).starts_with('=')) {
      return std::string(pair.substr(key.size() + 1));
    }
    if (comma == std::string_view::npos) break;
    attributes.remove_prefix(comma + 1);
  }
  return "absent";
}

struct Described {
  std::string service_name;
  std::string attributes;
};

Described Describe(std::string_view pod_json) {
  const kube::Document pod = Json(pod_json);
  const auto view = ViewPod(pod.root());
  EXPECT_TRUE(view.has_value()) << pod_json;
  const PodIdentity identity = IdentityOf(*view, "shop", "shop/checkout");
  return {identity.service_name, AttributesText(identity, view->containers.back())};
}

struct Choice {
  std::string_view annotation, instance, name, version_annotation, version_label;
};

std::string PodOf(const OwnerCase& owner, const ImageCase& image, const Choice& choice) {
  std::string annotations = R"("unrelated":"1")";
  std::string labels = R"("app":"x")";
  const auto add = [](std::string& object, std::string_view key, std::string_view value) {
    if (!value.empty()) object.append(fmt::format(R"(,"{}":"{}")", key, value));
  };
  add(annotations, "resource.opentelemetry.io/service.name", choice.annotation);
  add(annotations, "resource.opentelemetry.io/service.version", choice.version_annotation);
  add(labels, "app.kubernetes.io/instance", choice.instance);
  add(labels, "app.kubernetes.io/name", choice.name);
  add(labels, "app.kubernetes.io/version", choice.version_label);
  labels.append(owner.labels);
  return fmt::format(
      R"({{"metadata":{{"name":"web-1","annotations":{{{}}},"labels":{{{}}},)"
      R"("ownerReferences":[{}]}},"spec":{{"containers":[{{"name":"app","image":"{}"}}]}}}})",
      annotations, labels, owner.owner, image.image);
}

TEST(SemanticConventions, EveryCombinationFollowsTheNormativeOrder) {
  int combinations = 0;
  for (const OwnerCase& owner : kOwners) {
    for (const ImageCase& image : kImages) {
      for (unsigned bits = 0; bits < 32; ++bits) {
        const Choice choice{
            (bits & 1U) != 0 ? "from-annotation" : "", (bits & 2U) != 0 ? "from-instance" : "",
            (bits & 4U) != 0 ? "from-name" : "", (bits & 8U) != 0 ? "v-annotation" : "",
            (bits & 16U) != 0 ? "v-label" : ""};
        const std::string pod = PodOf(owner, image, choice);
        const Described described = Describe(pod);
        ASSERT_EQ(described.service_name,
                  FirstOf({choice.annotation, choice.instance, choice.name, owner.service}))
            << pod;
        const std::string version =
            FirstOf({choice.version_annotation, choice.version_label, image.version});
        ASSERT_EQ(AttributeIn(described.attributes, "service.version"),
                  version.empty() ? "absent" : version)
            << pod;
        for (const std::string_view key :
             {"k8s.deployment.name", "k8s.replicaset.name", "k8s.statefulset.name",
              "k8s.daemonset.name", "k8s.cronjob.name", "k8s.job.name"}) {
          ASSERT_EQ(AttributeIn(described.attributes, key), AttributeIn(owner.attributes, key))
              << pod;
        }
        ++combinations;
      }
    }
  }
  EXPECT_EQ(combinations, 15 * 10 * 32);
}

TEST(SemanticConventions, ContainersOfOnePodDifferInTheirOwnAttributesOnly) {
  const Described described = Describe(PodWithContainer(""));
  EXPECT_EQ(AttributeIn(described.attributes, "k8s.container.name"), "app");
  EXPECT_EQ(AttributeIn(described.attributes, "service.instance.id"),
            "shop.$(TRACEKEEPER_POD_NAME).app");
  EXPECT_EQ(AttributeIn(described.attributes, "service.namespace"), "shop");
  EXPECT_EQ(AttributeIn(described.attributes, "tracekeeper.policy"), "shop/checkout");
}

TEST(SemanticConventions, APodThatHasNoNameYetIsNamedByTheDownwardApi) {
  EXPECT_EQ(Describe(R"({"metadata":{"generateName":"web-"},"spec":{"containers":[{"name":"a"}]}})")
                .service_name,
            "$(TRACEKEEPER_POD_NAME)");
}

TEST(SemanticConventions, AnyAnnotationOfThePrefixBecomesAnAttribute) {
  const Described described = Describe(
      R"({"metadata":{"name":"p","annotations":{
          "resource.opentelemetry.io/deployment.environment.name":"prod, eu",
          "resource.opentelemetry.io/service.namespace":"retail",
          "resource.opentelemetry.io/service.instance.id":"one",
          "resource.opentelemetry.io/k8s.container.name":"renamed",
          "resource.opentelemetry.io/tracekeeper.policy":"forged"}},
          "spec":{"containers":[{"name":"a"}]}})");
  EXPECT_EQ(AttributeIn(described.attributes, "deployment.environment.name"), "prod%2C%20eu");
  EXPECT_EQ(AttributeIn(described.attributes, "service.namespace"), "retail");
  EXPECT_EQ(AttributeIn(described.attributes, "k8s.namespace.name"), "shop");
  EXPECT_EQ(AttributeIn(described.attributes, "service.instance.id"), "one");
  EXPECT_EQ(AttributeIn(described.attributes, "k8s.container.name"), "renamed");
  EXPECT_EQ(AttributeIn(described.attributes, "tracekeeper.policy"), "shop/checkout");
}

struct EncodingCase {
  std::string_view text, attribute, variable;
};

// `attribute` is percent-encoded; in both, Kubernetes gives back what was meant.
constexpr EncodingCase kEncodings[] = {
    {"plain-1.2_3~", "plain-1.2_3~", "plain-1.2_3~"},
    {"a,b=c%d", "a%2Cb%3Dc%25d", "a,b=c%d"},
    {"a b;c\"d\\e", "a%20b%3Bc%22d%5Ce", "a b;c\"d\\e"},
    {"z\xc3\xbcrich", "z%C3%BCrich", "z\xc3\xbcrich"},
    {"$(SECRET)", "$$(SECRET)", "$$(SECRET)"},
    {"$$(SECRET)", "$$$$(SECRET)", "$$$$(SECRET)"},
    {"a$b$", "a$b$", "a$b$"},
    {"$$", "$$$", "$$$"},
    {"\n\t", "%0A%09", "\n\t"},
};

/// What Kubernetes makes of a value: its expansion, without any variable defined.
std::string Expand(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '$') {
      out.push_back('$');
      ++i;
    } else if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '(' &&
               text.find(')', i) != std::string_view::npos) {
      out.append("<EXPANDED>");
      i = text.find(')', i);
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

TEST(Encoding, KeepsEveryTextAndExpandsNone) {
  for (const EncodingCase& c : kEncodings) {
    EXPECT_EQ(EncodeAttributeValue(c.text), c.attribute) << c.text;
    EXPECT_EQ(EscapeReferences(c.text), c.variable) << c.text;
    EXPECT_EQ(Expand(EscapeReferences(c.text)), c.text);
  }
}

}  // namespace
}  // namespace tracekeeper::domain
