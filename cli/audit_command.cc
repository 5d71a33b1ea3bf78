// `tracekeeper audit verify`: whether the audit of rotations is whole, from files, with no cluster.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <istream>
#include <memory>
#include <ostream>

#include "cli/command_line.h"
#include "cli/documents.h"
#include "operator/domain/audit_chain.h"
#include "operator/domain/audit_log.h"
#include "operator/domain/rotation_journal.h"

namespace tracekeeper::cli {
namespace {

constexpr std::size_t kMostAuditBytes = 256U << 20U;

constexpr const char* kFooter =
    "Examples:\n"
    "  tracekeeper audit verify audit.jsonl\n"
    "  cat audit-*.jsonl | tracekeeper audit verify -\n"
    "  tracekeeper audit verify audit.jsonl --journal journal.json\n"
    "  kubectl logs deploy/tracekeeper-operator | tracekeeper audit verify --log -\n"
    "\n"
    "Each line is one record of the operator's audit. A record that was changed, removed or moved "
    "is\n"
    "named with its line. What was cut from the end is found only by what the journal of the\n"
    "credential knows: give each journal as a file with --journal.\n"
    "Exit codes: 0 whole, 1 broken, 2 an unusable file or flag.";

struct VerifyOptions {
  std::string file;
  std::vector<std::string> journals;
  bool is_log = false;
};

Result<std::string> ReadAudit(const std::string& file, std::istream& standard_input) {
  std::ifstream opened;
  if (file != "-") opened.open(file, std::ios::binary);
  std::istream& in = file == "-" ? standard_input : opened;
  if (!in) {
    return Fail(ErrorKind::kInvalid, "{}: cannot be opened: is the path right and readable?", file);
  }
  std::string text;
  std::string part(1U << 20U, '\0');
  while (in) {
    in.read(part.data(), static_cast<std::streamsize>(part.size()));
    text.append(part, 0, static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMostAuditBytes) {
      return Fail(ErrorKind::kInvalid, "{}: longer than {} MiB: verify one credential at a time",
                  file, kMostAuditBytes >> 20U);
    }
  }
  if (in.bad()) return Fail(ErrorKind::kInvalid, "{}: cannot be read", file);
  return text;
}

Result<domain::KnownAuditHead> ReadHead(const std::string& file, std::istream& standard_input) {
  const std::string text = TRY(ReadText(file, standard_input));
  auto journal = domain::RotationJournal::FromJson(text);
  if (!journal) return Fail(std::move(journal).error().Within(file));
  return domain::KnownAuditHead{journal->object, journal->uid, journal->credential, journal->audit};
}

Result<domain::AuditVerdict> Verify(const VerifyOptions& options, std::istream& standard_input) {
  std::vector<domain::KnownAuditHead> heads;
  for (const std::string& file : options.journals) {
    if (file == "-") {
      return Fail(ErrorKind::kInvalid, "--journal reads a file, not standard input");
    }
    heads.push_back(TRY(ReadHead(file, standard_input)));
  }
  const std::string text = TRY(ReadAudit(options.file, standard_input));
  if (!options.is_log) return domain::VerifyAudit(text, heads);
  const std::string records = domain::AuditOfLog(text);
  if (records.empty()) {
    return Fail(ErrorKind::kInvalid, "{}: this log holds no record of an audit", options.file);
  }
  return domain::VerifyAudit(records, heads);
}

int Print(const VerifyOptions& options, const domain::AuditVerdict& verdict,
          const Console& console) {
  for (const domain::AuditChainSummary& chain : verdict.chains) {
    console.out << fmt::format("{}/{}: {} records, head {}\n", chain.object, chain.credential,
                               chain.head.count, chain.head.hash.substr(0, 16));
  }
  if (verdict.fault) {
    const std::string file = options.file == "-" ? "standard input" : options.file;
    const std::string place =
        verdict.fault->line == 0 ? file : fmt::format("{}:{}", file, verdict.fault->line);
    console.out << fmt::format("broken: {}: {}\n", place, verdict.fault->sentence);
    return kFailed;
  }
  console.out << fmt::format("whole: {} records of {} chains\n", verdict.records,
                             verdict.chains.size());
  return kDone;
}

int RunVerify(const VerifyOptions& options, const Console& console) {
  const auto verdict = Verify(options, console.in);
  if (verdict) return Print(options, *verdict, console);
  console.err << "tracekeeper audit verify: " << verdict.error().message << "\n";
  return kUnusable;
}

}  // namespace

void AddAudit(CLI::App& root, Chosen& chosen) {
  CLI::App* audit = root.add_subcommand("audit", "Check the audit of rotated credentials");
  audit->require_subcommand(1);
  audit->footer("Run tracekeeper audit verify --help for its options and examples.");
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* verify = audit->add_subcommand(
      "verify", "Say whether an audit is whole, or its first line that is not");
  verify->footer(kFooter);
  verify->add_option("file", options->file, "Records, one a line; - is standard input")
      ->required()
      ->type_name("FILE");
  verify
      ->add_option("--journal", options->journals,
                   "Journal of a credential, whose audit must reach as far as it says")
      ->allow_extra_args(false)  // a file that follows it is the audit
      ->type_name("FILE");
  verify->add_flag("--log", options->is_log,
                   "FILE is the operator's log: what is no record of the audit is passed over, and "
                   "lines are counted without it");
  verify->callback([options, &chosen] {
    chosen.run = [options](const Console& console) { return RunVerify(*options, console); };
  });
}

}  // namespace tracekeeper::cli
