// `tracekeeper doctor`: what is missing in this cluster, and what to do.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>

#include "cli/cluster.h"
#include "cli/command_line.h"
#include "cli/doctor.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::cli {
namespace {

constexpr const char* kFooter =
    "It reads and changes nothing. Checked: the API server and its version, your rights and the\n"
    "operator's, the CRDs, the leader, the webhook (certificate, endpoints, namespaces), nodes,\n"
    "policies.\n"
    "\n"
    "Examples:\n"
    "  tracekeeper doctor\n"
    "  tracekeeper doctor --context prod -o json\n"
    "\n"
    "Exit codes: 0 nothing is missing, 1 something is, 2 the cluster could not be asked.";

struct DoctorFlags {
  ClusterOptions cluster;
  std::string output = "text";
};

std::size_t Count(const std::vector<Check>& checks, Check::State state) {
  return static_cast<std::size_t>(std::count_if(
      checks.begin(), checks.end(), [&](const Check& check) { return check.state == state; }));
}

void PrintText(const std::vector<Check>& checks, std::ostream& out) {
  for (const Check& check : checks) {
    out << fmt::format("{:<8} {}: {}\n", NameOf(check.state), check.subject, check.sentence);
    if (!check.advice.empty()) out << fmt::format("{:<8} {}\n", "", check.advice);
  }
  const std::size_t missing = Count(checks, Check::State::kMissing);
  const std::size_t unknown = Count(checks, Check::State::kUnknown);
  out << "\n";
  if (missing > 0) {
    out << fmt::format("{} missing.", missing);
  } else {
    out << "Nothing is missing.";
  }
  if (unknown > 0) out << fmt::format(" {} could not be looked at.", unknown);
  out << "\n";
}

void PrintJson(const std::vector<Check>& checks, std::ostream& out) {
  codec::JsonWriter json;
  json.BeginObject().Key("checks").BeginArray();
  for (const Check& check : checks) {
    json.BeginObject()
        .Member("state", NameOf(check.state))
        .Member("subject", check.subject)
        .Member("sentence", check.sentence)
        .Member("advice", check.advice)
        .EndObject();
  }
  json.EndArray().EndObject();
  out << json.text() << "\n";
}

int RunDoctor(const DoctorFlags& flags, const Console& console) {
  const auto cluster = Cluster::Make(flags.cluster);
  if (!cluster) {
    console.err << "tracekeeper doctor: " << cluster.error().message << "\n";
    return kUnusable;
  }
  const SystemClock clock;
  Doctor doctor({.server = (*cluster)->config().server,
                 .operator_namespace = flags.cluster.operator_namespace},
                (*cluster)->client(), clock);
  const std::vector<Check> checks = doctor.Examine(StopToken());
  flags.output == "json" ? PrintJson(checks, console.out) : PrintText(checks, console.out);
  // The first check is the API server: without it nothing was looked at.
  if (checks.front().state != Check::State::kOk) return kUnusable;
  return Count(checks, Check::State::kMissing) > 0 ? kFailed : kDone;
}

}  // namespace

void AddDoctor(CLI::App& root, Chosen& chosen) {
  auto flags = std::make_shared<DoctorFlags>();
  CLI::App* command =
      root.add_subcommand("doctor", "Say what is missing in this cluster, and what to do");
  command->footer(kFooter);
  command->add_option("-o,--output", flags->output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  AddClusterFlags(*command, flags->cluster);
  command->callback([flags, &chosen] {
    chosen.run = [flags](const Console& console) { return RunDoctor(*flags, console); };
  });
}

}  // namespace tracekeeper::cli
