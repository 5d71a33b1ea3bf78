#pragma once
// Completion scripts for three shells, made from the command tree, so that a new flag completes
// without anybody thinking of it.
//
// Threads:  pure functions of values.

#include <string>
#include <vector>

namespace tracekeeper::cli {

struct CompletionOption {
  std::vector<std::string> names;  // "-o", "--output"
  std::string description;
  bool takes_value = false;
  bool takes_file = false;
  std::vector<std::string> values;  // all that there are; empty: anything
};

struct CompletionCommand {
  std::string name;  // of the root: the program's
  std::string description;
  std::vector<CompletionOption> options;
  std::vector<CompletionCommand> commands;
  std::vector<std::string> argument_values;  // of its positional argument, where they are known
};

std::string BashCompletion(const CompletionCommand& root);
std::string ZshCompletion(const CompletionCommand& root);
std::string FishCompletion(const CompletionCommand& root);

}  // namespace tracekeeper::cli
