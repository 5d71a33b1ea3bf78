// `tracekeeper version`: what this program is.

#include "src/base/version.h"

#include <fmt/core.h>
#include <sys/utsname.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "cli/command_line.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::cli {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  tracekeeper version\n"
    "  tracekeeper version -o json";

std::string Platform() {
  utsname names{};
  if (::uname(&names) != 0) return "unknown";
  return fmt::format("{}/{}", names.sysname, names.machine);
}

int PrintVersion(const std::string& output, const Console& console) {
  if (output == "json") {
    codec::JsonWriter json;
    json.BeginObject()
        .Member("version", kVersion)
        .Member("commit", kCommit)
        .Member("compiler", "g++ " __VERSION__)
        .Member("platform", Platform())
        .EndObject();
    console.out << json.text() << "\n";
    return kDone;
  }
  console.out << "tracekeeper " << kVersion;
  if (!kCommit.empty()) console.out << " (commit " << kCommit << ")";
  console.out << ", " << Platform() << "\n";
  return kDone;
}

}  // namespace

void AddVersion(CLI::App& root, Chosen& chosen) {
  auto output = std::make_shared<std::string>("text");
  CLI::App* command = root.add_subcommand("version", "Print the version of this program");
  command->footer(kFooter);
  command->add_option("-o,--output", *output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  command->callback([output, &chosen] {
    chosen.run = [output](const Console& console) { return PrintVersion(*output, console); };
  });
}

}  // namespace tracekeeper::cli
