#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <ostream>

namespace tracekeeper::cli {
namespace {

constexpr const char* kDescription =
    "Finds where a trace breaks, and why: in traces on a file, and in the tracing policies and "
    "pod\n"
    "injection of a Kubernetes cluster, from files or live.";

constexpr const char* kFooter =
    "Examples:\n"
    "  tracekeeper analyze traces.json\n"
    "  tracekeeper doctor\n"
    "  tracekeeper explain pod shop/checkout-6d5f7c9b8-x2x7k\n"
    "  tracekeeper inject --policy policy.yaml --namespace shop -f pod.yaml -o pod\n"
    "\n"
    "Run tracekeeper COMMAND --help for a command's options and examples.\n"
    "Exit codes: 0 done, 1 the answer is bad, 2 wrong flags, an unusable file or no cluster.";

/// The first word that stands where a command must and is none. CLI11 itself would only say that a
/// sub-command is required.
const std::string* UnknownCommand(const CLI::App& root, const std::vector<std::string>& arguments) {
  const CLI::App* app = &root;
  for (const std::string& word : arguments) {
    if (word.starts_with('-') || app->get_require_subcommand_min() == 0) return nullptr;
    const auto found =
        app->get_subcommands([&](const CLI::App* command) { return command->check_name(word); });
    if (found.empty()) return &word;
    app = found.front();
  }
  return nullptr;
}

}  // namespace

std::string ProgramName(const std::string& argv0) {
  const std::string name = std::filesystem::path(argv0).filename().string();
  return name == "kubectl-tracekeeper" ? "kubectl tracekeeper" : "tracekeeper";
}

int RunCommandLine(const std::string& program, std::vector<std::string> arguments,
                   const Console& console) {
  CLI::App app(kDescription, program);
  app.footer(kFooter);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  Chosen chosen;
  AddInject(app, chosen);
  AddExplain(app, chosen);
  AddDoctor(app, chosen);
  AddAnalyze(app, chosen);
  AddAudit(app, chosen);
  AddVersion(app, chosen);
  AddCompletion(app, chosen);

  if (arguments.empty()) arguments = {"--help"};
  if (const std::string* word = UnknownCommand(app, arguments)) {
    console.err << program << ": there is no command '" << *word << "'\nRun " << program
                << " --help for the commands.\n";
    return kUnusable;
  }
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::Success& help) {
    app.exit(help, console.out, console.out);
    return kDone;
  } catch (const CLI::ParseError& error) {
    console.err << program << ": " << error.what() << "\nRun " << program
                << " --help for the commands.\n";
    return kUnusable;
  }
  return chosen.run(console);
}

}  // namespace tracekeeper::cli
