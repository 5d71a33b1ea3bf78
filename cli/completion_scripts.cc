#include "cli/completion_scripts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <string_view>

namespace tracekeeper::cli {
namespace {

/// Each command with its path from the root ("" for the root, "explain pod").
using Visit = std::function<void(const std::string& path, const CompletionCommand&)>;

void Walk(const CompletionCommand& command, const std::string& path, const Visit& visit) {
  visit(path, command);
  for (const CompletionCommand& below : command.commands) {
    Walk(below, path.empty() ? below.name : path + " " + below.name, visit);
  }
}

std::string WordsOf(const CompletionCommand& command) {
  std::vector<std::string> words;
  words.reserve(command.commands.size() + command.argument_values.size());
  for (const CompletionCommand& below : command.commands) words.push_back(below.name);
  for (const std::string& value : command.argument_values) words.push_back(value);
  for (const CompletionOption& option : command.options) {
    words.insert(words.end(), option.names.begin(), option.names.end());
  }
  return fmt::format("{}", fmt::join(words, " "));
}

/// The `case` arms that follow the command line to the sub-command: " explain") command="explain";;
std::string PathArms(const CompletionCommand& root) {
  std::string arms;
  Walk(root, "", [&](const std::string& path, const CompletionCommand& command) {
    for (const CompletionCommand& below : command.commands) {
      const std::string deeper = path.empty() ? below.name : path + " " + below.name;
      arms += fmt::format("      \"{} {}\") command=\"{}\" ;;\n", path, below.name, deeper);
    }
  });
  return arms;
}

/// "inject|-o"|"inject|--output"
std::string OptionPattern(const std::string& path, const CompletionOption& option) {
  std::vector<std::string> patterns;
  patterns.reserve(option.names.size());
  for (const std::string& name : option.names) {
    patterns.push_back(fmt::format("\"{}|{}\"", path, name));
  }
  return fmt::format("{}", fmt::join(patterns, "|"));
}

std::string ValueArms(const CompletionCommand& root, std::string_view files,
                      const std::function<std::string(const std::vector<std::string>&)>& list) {
  std::string arms;
  Walk(root, "", [&](const std::string& path, const CompletionCommand& command) {
    for (const CompletionOption& option : command.options) {
      if (!option.takes_value) continue;
      std::string reply = "return";
      if (option.takes_file) reply = fmt::format("{}; return", files);
      if (!option.values.empty()) reply = fmt::format("{}; return", list(option.values));
      arms += fmt::format("    {}) {} ;;\n", OptionPattern(path, option), reply);
    }
  });
  return arms;
}

/// Text between single quotes of a shell.
std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

/// A description as zsh's _describe takes it: the colon separates.
std::string ZshEntry(std::string_view name, std::string_view description) {
  std::string text;
  for (const char c : name) text += c == ':' ? std::string("\\:") : std::string(1, c);
  return Quoted(fmt::format("{}:{}", text, description));
}

constexpr std::string_view kBash = R"bash(# bash completion for {0}. Load it with:
#   source <({0} completion bash)
_{0}() {{
  local command="" i
  local word="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
  # bash cuts --output=json into three words.
  if [[ $word == "=" ]]; then
    word=""
  elif [[ $previous == "=" ]]; then
    previous="${{COMP_WORDS[COMP_CWORD-2]}}"
  fi
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command ${{COMP_WORDS[i]}}" in
{1}    esac
  done
  case "$command|$previous" in
{2}  esac
  case "$command" in
{3}  esac
}}
complete -F _{0} {0}
)bash";

constexpr std::string_view kZsh = R"zsh(#compdef {0}
# zsh completion for {0}. Load it with:
#   source <({0} completion zsh)
_{0}() {{
  local command="" i
  local -a entries
  for ((i = 2; i < CURRENT; i++)); do
    case "$command ${{words[i]}}" in
{1}    esac
  done
  case "$command|${{words[CURRENT-1]}}" in
{2}  esac
  case "$command" in
{3}  esac
  _describe 'command' entries
}}
compdef _{0} {0}
)zsh";

}  // namespace

std::string BashCompletion(const CompletionCommand& root) {
  std::string words;
  Walk(root, "", [&](const std::string& path, const CompletionCommand& command) {
    words += fmt::format("    \"{}\") COMPREPLY=($(compgen -W \"{}\" -- \"$word\")) ;;\n", path,
                         WordsOf(command));
  });
  const std::string values = ValueArms(
      root, "COMPREPLY=($(compgen -f -- \"$word\")); compopt -o filenames 2>/dev/null",
      [](const std::vector<std::string>& all) {
        return fmt::format("COMPREPLY=($(compgen -W \"{}\" -- \"$word\"))", fmt::join(all, " "));
      });
  return fmt::format(fmt::runtime(kBash), root.name, PathArms(root), values, words);
}

std::string ZshCompletion(const CompletionCommand& root) {
  std::string words;
  Walk(root, "", [&](const std::string& path, const CompletionCommand& command) {
    std::vector<std::string> entries;
    entries.reserve(command.commands.size() + command.argument_values.size());
    for (const CompletionCommand& below : command.commands) {
      entries.push_back(ZshEntry(below.name, below.description));
    }
    for (const std::string& value : command.argument_values) entries.push_back(Quoted(value));
    for (const CompletionOption& option : command.options) {
      for (const std::string& name : option.names) {
        entries.push_back(ZshEntry(name, option.description));
      }
    }
    words += fmt::format("    \"{}\") entries=({}) ;;\n", path, fmt::join(entries, " "));
  });
  const std::string values = ValueArms(root, "_files", [](const std::vector<std::string>& all) {
    return fmt::format("compadd -- {}", fmt::join(all, " "));
  });
  return fmt::format(fmt::runtime(kZsh), root.name, PathArms(root), values, words);
}

std::string FishCompletion(const CompletionCommand& root) {
  std::string out = fmt::format(
      "# fish completion for {0}. Load it with:\n#   {0} completion fish | source\n"
      "complete -c {0} -f\n",
      root.name);
  Walk(root, "", [&](const std::string& path, const CompletionCommand& command) {
    std::vector<std::string> below;
    below.reserve(command.commands.size());
    for (const CompletionCommand& child : command.commands) below.push_back(child.name);
    std::string condition = path.empty() ? std::string("__fish_use_subcommand") : std::string();
    for (std::size_t at = 0; at < path.size();) {
      const std::size_t end = std::min(path.find(' ', at), path.size());
      if (!condition.empty()) condition += "; and ";
      condition += "__fish_seen_subcommand_from " + path.substr(at, end - at);
      at = end + 1;
    }
    const std::string here = path.empty() || below.empty()
                                 ? condition
                                 : fmt::format("{}; and not __fish_seen_subcommand_from {}",
                                               condition, fmt::join(below, " "));
    for (const CompletionCommand& child : command.commands) {
      out += fmt::format("complete -c {} -n {} -a {} -d {}\n", root.name, Quoted(here), child.name,
                         Quoted(child.description));
    }
    for (const std::string& value : command.argument_values) {
      out += fmt::format("complete -c {} -n {} -a {}\n", root.name, Quoted(here), value);
    }
    for (const CompletionOption& option : command.options) {
      out += fmt::format("complete -c {} -n {}", root.name, Quoted(condition));
      for (const std::string& name : option.names) {
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (option.takes_value) out += option.takes_file ? " -r -F" : " -r";
      if (!option.values.empty()) {
        out += fmt::format(" -a {}", Quoted(fmt::format("{}", fmt::join(option.values, " "))));
      }
      out += fmt::format(" -d {}\n", Quoted(option.description));
    }
  });
  return out;
}

}  // namespace tracekeeper::cli
