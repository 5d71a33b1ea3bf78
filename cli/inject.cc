// `tracekeeper inject`: what the webhook would do to a pod, from files, with no cluster.

#include <CLI/CLI.hpp>
#include <fstream>
#include <istream>
#include <memory>
#include <ostream>

#include "cli/command_line.h"
#include "cli/decision.h"
#include "cli/documents.h"
#include "operator/domain/compile_policy.h"
#include "src/codec/json_patch.h"
#include "src/codec/json_writer.h"
#include "src/config/yaml_text.h"

namespace tracekeeper::cli {
namespace {

constexpr const char* kDescription =
    "Print what injection adds to a pod: the same function as the webhook, with no cluster.";

constexpr const char* kFooter =
    "Examples:\n"
    "  tracekeeper inject --policy policy.yaml --namespace shop -f pod.yaml\n"
    "  tracekeeper inject --policy policy.yaml --namespace shop -f pod.yaml -o reasons\n"
    "  kubectl get pod web-1 -n shop -o yaml | tracekeeper inject --policy policy.yaml -n shop \\\n"
    "    -f - -o pod\n"
    "  kubectl get pods -n shop -o json | jq -c '.items[]' |\n"
    "    tracekeeper inject --policy policy.yaml -n shop --stream\n"
    "\n"
    "--stream answers each line with {\"patch\":[...],\"reasons\":[...]} or {\"error\":\"...\"}.\n"
    "Remarks of the webhook go to standard error as warnings.\n"
    "Exit codes: 0 decided (a pod that is skipped is a decision too), 2 an unusable file or flag.";

struct InjectOptions {
  std::string policy_file;
  std::string namespace_name = "default";
  std::string namespace_labels;
  std::string file = "-";
  std::string output = "patch";
  bool stream = false;
  std::string operator_namespace = "tracekeeper-system";
  std::string sidecar_image = DefaultSidecarImage();
  std::string kubernetes_version = "v1.34.0";
};

class Injector {
 public:
  static Result<Injector> Make(const InjectOptions& options, std::istream& standard_input) {
    const api::TracingPolicy policy =
        TRY(ReadPolicy(options.policy_file, options.namespace_name, standard_input));
    domain::CompileOptions compile;
    compile.operator_namespace = options.operator_namespace;
    compile.sidecar_image = options.sidecar_image;
    auto compiled = domain::CompilePolicy(policy, compile);
    if (!compiled) return Fail(std::move(compiled).error().Within(options.policy_file));
    Injector injector;
    injector.snapshot_ = domain::PolicySnapshot({compiled->policy});
    injector.surroundings_ = {
        .namespace_name = options.namespace_name,
        .namespace_labels = TRY(ParseLabels(options.namespace_labels)),
        .operator_namespace = options.operator_namespace,
        .nodes = domain::CapabilityOf(options.kubernetes_version, {}),
    };
    return injector;
  }

  [[nodiscard]] domain::Mutation Mutate(codec::JsonValue pod) const {
    return Decide(pod, snapshot_, surroundings_).mutation;
  }

 private:
  domain::PolicySnapshot snapshot_;
  Surroundings surroundings_;
};

std::string_view PatchOf(const domain::Mutation& mutation) {
  return mutation.patch.empty() ? std::string_view("[]") : std::string_view(mutation.patch);
}

void PrintReasons(const domain::Mutation& mutation, std::ostream& out) {
  for (const domain::Finding& finding : mutation.findings) {
    out << finding.ToString() << "\n    " << domain::SentenceOf(finding.reason) << "\n";
    const std::string_view advice = domain::AdviceOf(finding.reason);
    if (!advice.empty()) out << "    " << advice << "\n";
  }
}

Status PrintOne(const InjectOptions& options, const Injector& injector, const Console& console) {
  const std::string text = TRY(ReadText(options.file, console.in));
  const std::string name = options.file == "-" ? "standard input" : options.file;
  const auto objects = TRY(ReadObjects(name, text));
  if (objects.size() != 1) {
    return Fail(ErrorKind::kInvalid, "{}: holds {} objects; give one pod, or many with --stream",
                name, objects.size());
  }
  const codec::JsonValue pod = objects.front().root();
  if (const Status is_pod = RequirePod(pod); !is_pod) {
    return Fail(ErrorKind::kInvalid, "{} {}", name, is_pod.error().message);
  }
  const domain::Mutation mutation = injector.Mutate(pod);
  for (const std::string& warning : mutation.Warnings()) {
    console.err << "Warning: " << warning << "\n";
  }
  if (options.output == "reasons") {
    PrintReasons(mutation, console.out);
  } else if (options.output == "pod") {
    const std::string json = TRY(codec::ApplyJsonPatch(pod.ToJson(), PatchOf(mutation)));
    // In the language that it came in.
    const bool is_json = text.find_first_not_of(" \t\r\n") == text.find('{');
    console.out << (is_json ? json + "\n" : config::YamlOfJson(json));
  } else {
    console.out << PatchOf(mutation) << "\n";
  }
  return {};
}

enum class LineEnd { kLine, kTooLong, kNoMore };

LineEnd ReadLine(std::istream& in, std::string& line) {
  line.clear();
  if (in.peek() == std::istream::traits_type::eof()) return LineEnd::kNoMore;
  for (int c = in.get(); c != std::istream::traits_type::eof() && c != '\n'; c = in.get()) {
    if (line.size() <= kMaxDocumentBytes) line.push_back(static_cast<char>(c));
  }
  return line.size() > kMaxDocumentBytes ? LineEnd::kTooLong : LineEnd::kLine;
}

Result<std::string> AnswerLine(const Injector& injector, codec::JsonParser& parser,
                               const std::string& line) {
  const codec::JsonValue pod = TRY(parser.Parse(line));
  if (const Status is_pod = RequirePod(pod); !is_pod) {
    return Fail(is_pod.error().kind, "the line {}", is_pod.error().message);
  }
  const domain::Mutation mutation = injector.Mutate(pod);
  codec::JsonWriter json;
  json.BeginObject().Key("patch").Raw(PatchOf(mutation)).Key("reasons").BeginArray();
  for (const domain::Finding& finding : mutation.findings) json.String(finding.ToString());
  json.EndArray().EndObject();
  return json.Take();
}

void AnswerStream(std::istream& in, const Injector& injector, std::ostream& out) {
  codec::JsonParser parser;
  std::string line;
  for (LineEnd end = ReadLine(in, line); end != LineEnd::kNoMore; end = ReadLine(in, line)) {
    Result<std::string> answer =
        end == LineEnd::kTooLong
            ? Fail(ErrorKind::kInvalid, "the line is longer than {} MiB", kMaxDocumentBytes >> 20U)
            : AnswerLine(injector, parser, line);
    if (!answer) {
      codec::JsonWriter json;
      json.BeginObject().Member("error", answer.error().message).EndObject();
      answer = json.Take();
    }
    out << *answer << '\n';
    // Whoever waits for this answer before it asks on gets it now; a bulk reader is not slowed.
    if (in.rdbuf()->in_avail() <= 0) out.flush();
  }
}

Status RunInject(const InjectOptions& options, const Console& console) {
  if (options.policy_file == "-" && options.file == "-") {
    return Fail(ErrorKind::kInvalid,
                "--policy and -f both read standard input: give one of them as a file");
  }
  const Injector injector = TRY(Injector::Make(options, console.in));
  if (!options.stream) return PrintOne(options, injector, console);
  if (options.file == "-") {
    AnswerStream(console.in, injector, console.out);
    return {};
  }
  std::ifstream file(options.file, std::ios::binary);
  if (!file) return Fail(ErrorKind::kInvalid, "{}: cannot be opened", options.file);
  AnswerStream(file, injector, console.out);
  return {};
}

void AddFlags(CLI::App& command, InjectOptions& options) {
  command.add_option("--policy", options.policy_file, "TracingPolicy, YAML or JSON; - is input")
      ->required()
      ->type_name("FILE");
  command.add_option("-n,--namespace", options.namespace_name, "Namespace of the pod")
      ->capture_default_str()
      ->type_name("NAME");
  command
      .add_option("--namespace-labels", options.namespace_labels,
                  "Labels of that namespace, for policies with a namespaceSelector")
      ->type_name("k=v,...");
  command.add_option("-f,--filename", options.file, "Pod, YAML or JSON; - is standard input")
      ->capture_default_str()
      ->type_name("FILE");
  command.add_option("-o,--output", options.output, "What to print")
      ->check(CLI::IsMember({"patch", "pod", "reasons"}))
      ->capture_default_str()
      ->type_name("FORM");
  command.add_flag("--stream", options.stream, "One pod a line (JSON), one answer a line");
  command
      .add_option("--operator-namespace", options.operator_namespace,
                  "Where the operator runs: policies there may select other namespaces")
      ->capture_default_str()
      ->type_name("NAME");
  command
      .add_option("--sidecar-image", options.sidecar_image,
                  "Image for policies that name none, as the operator was started with")
      ->capture_default_str()
      ->type_name("IMAGE");
  command
      .add_option("--kubernetes-version", options.kubernetes_version,
                  "Version of API server and nodes: before 1.29 no native sidecar")
      ->capture_default_str()
      ->type_name("VERSION");
}

}  // namespace

void AddInject(CLI::App& root, Chosen& chosen) {
  auto options = std::make_shared<InjectOptions>();
  CLI::App* command = root.add_subcommand("inject", kDescription);
  command->footer(kFooter);
  AddFlags(*command, *options);
  command->callback([options, &chosen] {
    chosen.run = [options](const Console& console) {
      const Status status = RunInject(*options, console);
      if (status) return kDone;
      console.err << "tracekeeper inject: " << status.error().message << "\n";
      return kUnusable;
    };
  });
}

}  // namespace tracekeeper::cli
