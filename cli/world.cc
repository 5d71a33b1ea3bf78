#include "cli/world.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "cli/decision.h"
#include "cli/documents.h"
#include "operator/domain/plan_webhook.h"
#include "src/kube/discovery.h"

namespace tracekeeper::cli {
namespace {

/// Gives each object of a list to a function.
class EachObject final : public kube::ListSink {
 public:
  using Take = std::function<Status(codec::JsonValue)>;
  EachObject(std::string what, World& world, Take take, std::function<void()> restart)
      : what_(std::move(what)),
        world_(world),
        take_(std::move(take)),
        restart_(std::move(restart)) {}

  void OnRestart() override { restart_(); }
  Status OnObject(codec::JsonValue object) override { return take_(object); }
  void OnBrokenObject(const Error& error) override {
    world_.notes.push_back(
        fmt::format("one of the {} could not be read: {}", what_, error.message));
  }

 private:
  std::string what_;
  World& world_;
  Take take_;
  std::function<void()> restart_;
};

/// Lists; a refusal becomes a note, since the answer may not need the list.
void ListOrNote(kube::Client& client, const kube::Resource& resource,
                const std::string& namespace_name, World& world, const EachObject::Take& take,
                const std::function<void()>& restart, const StopToken& stop) {
  EachObject sink(resource.QualifiedName(), world, take, restart);
  kube::ListOptions options;
  options.selection.namespace_name = namespace_name;
  const auto outcome = client.List(resource, options, sink, stop);
  if (!outcome) {
    world.notes.push_back(fmt::format("{} could not be listed: {}", resource.QualifiedName(),
                                      outcome.error().message));
  }
}

void AskPolicies(kube::Client& client, World& world, const StopToken& stop) {
  ListOrNote(
      client, api::kTracingPolicies, "", world,
      [&](codec::JsonValue object) -> Status {
        AddPolicy(world, TRY(api::DecodeTracingPolicy(object)));
        return {};
      },
      [&] { world.policies.clear(); }, stop);
}

void AskNamespaces(kube::Client& client, World& world, const StopToken& stop) {
  ListOrNote(
      client, kube::kNamespaces, "", world,
      [&](codec::JsonValue object) -> Status {
        world.namespaces[std::string(object["metadata"]["name"].StringOr(""))] =
            kube::DecodeStringMap(object["metadata"]["labels"]);
        return {};
      },
      [&] { world.namespaces.clear(); }, stop);
}

void AskNodes(kube::Client& client, World& world, const StopToken& stop) {
  std::vector<std::string> versions;
  ListOrNote(
      client, kube::kNodes, "", world,
      [&](codec::JsonValue object) -> Status {
        versions.emplace_back(object["status"]["nodeInfo"]["kubeletVersion"].StringOr(""));
        return {};
      },
      [&] { versions.clear(); }, stop);
  const auto server = kube::GetServerVersion(client, stop);
  if (!server) {
    world.notes.push_back(
        fmt::format("the server's version is not known: {}", server.error().message));
    return;
  }
  const std::vector<std::string_view> views(versions.begin(), versions.end());
  world.nodes = domain::CapabilityOf(server->git_version, views);
}

/// The namespaces that an object of kind MutatingWebhookConfiguration lists.
std::vector<std::string> NamespacesIn(codec::JsonValue configuration) {
  std::set<std::string> names;
  for (const codec::JsonValue webhook : configuration["webhooks"].Elements()) {
    for (const codec::JsonValue rule :
         webhook["namespaceSelector"]["matchExpressions"].Elements()) {
      if (rule["operator"].StringOr("") != "In") continue;
      for (const codec::JsonValue name : rule["values"].Elements()) {
        names.emplace(name.StringOr(""));
      }
    }
  }
  return {names.begin(), names.end()};
}

void AskCoverage(kube::Client& client, World& world, const StopToken& stop) {
  const auto found = client.Get(kube::kMutatingWebhookConfigurations,
                                {"", std::string(domain::kWebhookConfigurationName)}, stop);
  if (found) {
    world.covered_namespaces = NamespacesIn(found->root());
  } else if (found.error().kind == ErrorKind::kNotFound) {
    world.covered_namespaces.emplace();
  } else {
    world.notes.push_back(fmt::format("whether the webhook covers a namespace is not known: {}",
                                      found.error().message));
  }
}

void AskPods(kube::Client& client, const std::string& namespace_name, World& world,
             const StopToken& stop) {
  ListOrNote(
      client, kube::kPods, namespace_name, world,
      [&](codec::JsonValue object) -> Status {
        world.pods.push_back(TRY(kube::Document::Parse(object.ToJson())));
        return {};
      },
      [&] { world.pods.clear(); }, stop);
}

Status AddFromFile(World& world, kube::Document object, const std::string& default_namespace,
                   std::vector<std::string>& kubelets) {
  const std::string_view kind = object["kind"].StringOr("");
  if (kind == api::kTracingPolicyKind) {
    auto policy = TRY(api::DecodeTracingPolicy(object.root()));
    std::string& namespace_name = policy.metadata.key.namespace_name;
    if (namespace_name.empty()) namespace_name = default_namespace;
    AddPolicy(world, std::move(policy));
  } else if (kind == "Namespace") {
    world.namespaces[std::string(object["metadata"]["name"].StringOr(""))] =
        kube::DecodeStringMap(object["metadata"]["labels"]);
  } else if (kind == "Node") {
    kubelets.emplace_back(object["status"]["nodeInfo"]["kubeletVersion"].StringOr(""));
  } else if (kind == "Pod") {
    world.pods.push_back(std::move(object));
  } else {
    world.notes.push_back(fmt::format("a {} was passed over", kind.empty() ? "document" : kind));
  }
  return {};
}

}  // namespace

domain::PolicySnapshot World::Snapshot() const {
  std::vector<domain::PolicyPointer> compiled;
  for (const KnownPolicy& known : policies) {
    if (known.compiled) compiled.push_back(known.compiled);
  }
  return domain::PolicySnapshot(std::move(compiled));
}

const KnownPolicy* World::FindPolicy(const kube::ObjectKey& key) const {
  const auto found = std::find_if(policies.begin(), policies.end(), [&](const KnownPolicy& known) {
    return known.policy.metadata.key == key;
  });
  return found == policies.end() ? nullptr : &*found;
}

const kube::Document* World::FindPod(const kube::ObjectKey& key) const {
  const auto found = std::find_if(pods.begin(), pods.end(), [&](const kube::Document& pod) {
    const std::string_view namespace_name = pod["metadata"]["namespace"].StringOr("");
    return pod["metadata"]["name"].StringOr("") == key.name &&
           (namespace_name.empty() || namespace_name == key.namespace_name);
  });
  return found == pods.end() ? nullptr : &*found;
}

void AddPolicy(World& world, api::TracingPolicy policy) {
  domain::CompileOptions options;
  options.operator_namespace = world.operator_namespace;
  options.sidecar_image = DefaultSidecarImage();
  KnownPolicy known;
  auto compiled = domain::CompilePolicy(policy, options);
  if (compiled) {
    known.compiled = std::move(compiled->policy);
    known.findings = std::move(compiled->findings);
  } else {
    known.error = compiled.error().message;
  }
  known.policy = std::move(policy);
  world.policies.push_back(std::move(known));
}

Result<World> ReadWorld(const std::vector<std::string>& files, std::string operator_namespace,
                        const std::string& default_namespace, std::istream& standard_input) {
  World world;
  world.operator_namespace = std::move(operator_namespace);
  std::vector<std::string> kubelets;
  for (const std::string& file : files) {
    for (kube::Document& object : TRY(ReadObjects(file, TRY(ReadText(file, standard_input))))) {
      if (auto added = AddFromFile(world, std::move(object), default_namespace, kubelets); !added) {
        return Fail(std::move(added).error().Within(file));
      }
    }
  }
  const std::vector<std::string_view> views(kubelets.begin(), kubelets.end());
  if (!views.empty()) world.nodes = domain::CapabilityOf(views.front(), views);
  return world;
}

Result<World> AskWorld(kube::Client& client, std::string operator_namespace,
                       const WorldQuestion& question, const StopToken& stop) {
  World world;
  world.operator_namespace = std::move(operator_namespace);
  // First what the question is about: no answer without it.
  if (question.pod) world.pods.push_back(TRY(client.Get(kube::kPods, *question.pod, stop)));
  if (question.policy) {
    TRY(client.Get(api::kTracingPolicies, *question.policy, stop));
    AskPods(client, question.policy->namespace_name, world, stop);
  }
  AskPolicies(client, world, stop);
  AskNamespaces(client, world, stop);
  AskNodes(client, world, stop);
  AskCoverage(client, world, stop);
  return world;
}

}  // namespace tracekeeper::cli
