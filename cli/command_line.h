#pragma once
// The command tree of `tracekeeper`. Each sub-command lives in a file of its own, which adds it to
// the tree and stores what it does in Chosen when the command line names it.
//
// Threads:  the main thread only.
// Failure:  RunCommandLine gives the exit code (console.h); every error is a sentence on
//           console.err.

#include <functional>
#include <string>
#include <vector>

#include "cli/console.h"

namespace CLI {
class App;
}  // namespace CLI

namespace tracekeeper::cli {

/// What the chosen command does, set while the command line is parsed.
struct Chosen {
  std::function<int(const Console&)> run;
};

void AddInject(CLI::App& root, Chosen& chosen);
void AddExplain(CLI::App& root, Chosen& chosen);
void AddDoctor(CLI::App& root, Chosen& chosen);
void AddAnalyze(CLI::App& root, Chosen& chosen);
void AddAudit(CLI::App& root, Chosen& chosen);
void AddVersion(CLI::App& root, Chosen& chosen);
void AddCompletion(CLI::App& root, Chosen& chosen);

/// Parses `arguments` (without the program's name) and runs what they name. `program` is what the
/// user typed: "tracekeeper", or "kubectl tracekeeper" for the plugin.
int RunCommandLine(const std::string& program, std::vector<std::string> arguments,
                   const Console& console);

/// "kubectl tracekeeper" when the program was started as a kubectl plugin.
std::string ProgramName(const std::string& argv0);

}  // namespace tracekeeper::cli
