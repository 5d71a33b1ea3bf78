// `tracekeeper explain`: what was decided about a pod or a policy, and why, in sentences.

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "cli/cluster.h"
#include "cli/command_line.h"
#include "cli/explain.h"

namespace tracekeeper::cli {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  tracekeeper explain pod shop/checkout-6d5f7c9b8-x2x7k\n"
    "  tracekeeper explain pod web-1 -n shop -f policies.yaml -f pod.yaml\n"
    "  tracekeeper explain policy shop/checkout\n"
    "  tracekeeper explain reason skipped_port_conflict\n"
    "  tracekeeper explain cause broken_hop\n"
    "\n"
    "With -f nothing is asked of a cluster: the files hold the pod or policy, the "
    "TracingPolicies,\n"
    "and where they matter the Namespace (its labels) and Nodes (their versions).\n"
    "Exit codes: 0 explained, 1 there is no such object, 2 wrong flags, an unusable file or no "
    "cluster.";

struct ExplainOptions {
  ClusterOptions cluster;
  std::string name;
  std::string namespace_name;
  std::vector<std::string> files;
};

enum class Subject { kPod, kPolicy };

/// "shop/web-1", or "web-1" in --namespace or else in the kubeconfig's namespace.
Result<kube::ObjectKey> KeyOf(const ExplainOptions& options, const std::string& fallback) {
  kube::ObjectKey key = TRY(kube::ParseObjectKey(options.name));
  if (!key.namespace_name.empty() && !options.namespace_name.empty() &&
      key.namespace_name != options.namespace_name) {
    return Fail(ErrorKind::kInvalid, "{} names namespace {}, --namespace says {}: give one",
                options.name, key.namespace_name, options.namespace_name);
  }
  if (key.namespace_name.empty()) key.namespace_name = options.namespace_name;
  if (key.namespace_name.empty()) key.namespace_name = fallback;
  return key;
}

Result<std::string> Explain(Subject subject, const World& world, const kube::ObjectKey& key) {
  return subject == Subject::kPod ? ExplainPod(world, key) : ExplainPolicy(world, key);
}

Result<std::string> FromFiles(Subject subject, const ExplainOptions& options,
                              std::istream& standard_input) {
  const kube::ObjectKey key = TRY(KeyOf(options, "default"));
  const World world = TRY(ReadWorld(options.files, options.cluster.operator_namespace,
                                    key.namespace_name, standard_input));
  return Explain(subject, world, key);
}

Result<std::string> FromCluster(Subject subject, const ExplainOptions& options) {
  const auto cluster = TRY(Cluster::Make(options.cluster));
  const kube::ObjectKey key = TRY(KeyOf(options, cluster->config().namespace_name));
  WorldQuestion question;
  (subject == Subject::kPod ? question.pod : question.policy) = key;
  const World world =
      TRY(AskWorld(cluster->client(), options.cluster.operator_namespace, question, StopToken()));
  return Explain(subject, world, key);
}

int Print(const Result<std::string>& text, const Console& console) {
  if (text) {
    console.out << *text;
    return kDone;
  }
  console.err << "tracekeeper explain: " << text.error().message << "\n";
  return text.error().kind == ErrorKind::kNotFound ? kFailed : kUnusable;
}

void AddSubject(CLI::App& explain, Subject subject, Chosen& chosen) {
  auto options = std::make_shared<ExplainOptions>();
  const bool is_pod = subject == Subject::kPod;
  CLI::App* command = explain.add_subcommand(
      is_pod ? "pod" : "policy",
      is_pod ? "Which policy a pod has, whether it is injected, and why"
             : "What a TracingPolicy selects, what is true of it, which pods go without");
  command->footer(kFooter);
  command->add_option("name", options->name, "NAMESPACE/NAME, or NAME with -n")
      ->required()
      ->type_name("NAMESPACE/NAME");
  command->add_option("-n,--namespace", options->namespace_name, "Namespace, if NAME has none")
      ->type_name("NAME");
  command->add_option("-f,--filename", options->files, "Files instead of a cluster; - is input")
      ->type_name("FILE");
  AddClusterFlags(*command, options->cluster);
  command->callback([subject, options, &chosen] {
    chosen.run = [subject, options](const Console& console) {
      return Print(options->files.empty() ? FromCluster(subject, *options)
                                          : FromFiles(subject, *options, console.in),
                   console);
    };
  });
}

/// A table that is printed row by row or as a whole.
struct Table {
  const char* subject;
  const char* help;
  const char* name_help;
  Result<std::string> (*explain)(std::string_view name);
};
constexpr Table kTables[] = {
    {"reason", "What a reason of injection means (metric label, Event, status), or all of them",
     "For example skipped_host_network", ExplainReason},
    {"cause", "What breaks a trace, by name or class, or all of them",
     "For example broken_hop, or B5", ExplainCause},
};

void AddTable(CLI::App& explain, const Table& table, Chosen& chosen) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = explain.add_subcommand(table.subject, table.help);
  command->footer(kFooter);
  command->add_option("name", *name, table.name_help)->type_name("NAME");
  command->callback([name, explain_row = table.explain, &chosen] {
    chosen.run = [name, explain_row](const Console& console) {
      return Print(explain_row(*name), console);
    };
  });
}

}  // namespace

void AddExplain(CLI::App& root, Chosen& chosen) {
  CLI::App* command =
      root.add_subcommand("explain", "Say what was decided about a pod or a policy, and why");
  command->footer(kFooter);
  command->require_subcommand(1);
  AddSubject(*command, Subject::kPod, chosen);
  AddSubject(*command, Subject::kPolicy, chosen);
  for (const Table& table : kTables) AddTable(*command, table, chosen);
}

}  // namespace tracekeeper::cli
