// `tracekeeper completion SHELL`: a completion script, made from the command tree.

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "cli/command_line.h"
#include "cli/completion_scripts.h"

namespace tracekeeper::cli {
namespace {

constexpr const char* kFooter =
    "Load it in the running shell, or put it where the shell looks by itself:\n"
    "  source <(tracekeeper completion bash)\n"
    "  source <(tracekeeper completion zsh)\n"
    "  tracekeeper completion fish | source\n"
    "  tracekeeper completion bash > /etc/bash_completion.d/tracekeeper\n"
    "\n"
    "`make install` installs all three, and completion for `kubectl tracekeeper`.";

/// "FORMAT:{text,json}" -> text, json.
std::vector<std::string> ValuesIn(const std::string& type_name) {
  std::vector<std::string> values;
  const std::size_t open = type_name.find('{');
  const std::size_t close = type_name.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return values;
  for (std::size_t at = open + 1; at < close;) {
    const std::size_t end = std::min(type_name.find(',', at), close);
    values.push_back(type_name.substr(at, end - at));
    at = end + 1;
  }
  return values;
}

CompletionOption OptionOf(const CLI::Option& option) {
  CompletionOption result;
  for (const std::string& name : option.get_snames()) result.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) result.names.push_back("--" + name);
  result.description = option.get_description();
  result.takes_value = option.get_items_expected_max() > 0;
  result.takes_file = option.get_type_name().starts_with("FILE");
  result.values = ValuesIn(option.get_type_name());
  return result;
}

CompletionCommand CommandOf(const CLI::App& app) {
  CompletionCommand command;
  command.name = app.get_name();
  command.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      command.argument_values = ValuesIn(option->get_type_name());
    } else {
      command.options.push_back(OptionOf(*option));
    }
  }
  for (const CLI::App* below : app.get_subcommands([](const CLI::App*) { return true; })) {
    command.commands.push_back(CommandOf(*below));
  }
  return command;
}

int PrintCompletion(const CLI::App& app, const std::string& shell, const Console& console) {
  CompletionCommand root = CommandOf(app);
  root.name = "tracekeeper";
  if (shell == "bash") console.out << BashCompletion(root);
  if (shell == "zsh") console.out << ZshCompletion(root);
  if (shell == "fish") console.out << FishCompletion(root);
  return kDone;
}

}  // namespace

void AddCompletion(CLI::App& root, Chosen& chosen) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = root.add_subcommand("completion", "Print a completion script for a shell");
  command->footer(kFooter);
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
  command->callback([shell, &root, &chosen] {
    chosen.run = [shell, &root](const Console& console) {
      return PrintCompletion(root, *shell, console);
    };
  });
}

}  // namespace tracekeeper::cli
