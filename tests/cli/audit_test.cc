#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cli/console.h"
#include "operator/domain/rotation_journal.h"
#include "tests/cli/command_run.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Audit {
  std::vector<std::string> lines;
  domain::RotationJournal journal;

  [[nodiscard]] std::string Text() const {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }
};

Audit MakeAudit(int count) {
  Audit audit;
  audit.journal.object = "shop/checkout";
  audit.journal.uid = "0d3c6a54";
  audit.journal.credential = "otlp";
  for (int i = 0; i < count; ++i) {
    domain::AuditRecord record;
    record.object = audit.journal.object;
    record.uid = audit.journal.uid;
    record.credential = audit.journal.credential;
    record.rotation = "r-0011223344556677";
    record.step = "Published";
    record.cause = "Due";
    record.from = 3;
    record.to = 4;
    record.request_id = fmt::format("request-{}", i);
    record.actor = "tracekeeper-operator-0";
    record.outcome = "ok";
    domain::AuditLine line = domain::NextAuditLine(std::move(record), audit.journal.audit);
    audit.lines.push_back(std::move(line.text));
    audit.journal.audit = std::move(line.head);
  }
  return audit;
}

std::string Write(const test_support::TemporaryFolder& folder, const std::string& name,
                  const std::string& text) {
  const std::string path = folder.path() / name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST(AuditVerify, SaysThatAWholeAuditIsWhole) {
  const test_support::TemporaryFolder folder{"audit"};
  const Audit audit = MakeAudit(5);
  const std::string file = Write(folder, "audit.jsonl", audit.Text());
  const CommandRun run = RunCommand({"audit", "verify", file});
  EXPECT_EQ(run.code, kDone) << run.err;
  EXPECT_THAT(run.out, HasSubstr("shop/checkout/otlp: 5 records, head "));
  EXPECT_THAT(run.out, HasSubstr("whole: 5 records of 1 chains\n"));
  EXPECT_EQ(RunCommand({"audit", "verify", "-"}, audit.Text()).out, run.out);
}

TEST(AuditVerify, NamesTheFirstLineThatIsBroken) {
  Audit audit = MakeAudit(5);
  audit.lines[2].replace(audit.lines[2].find("request-2"), 9, "request-9");
  const CommandRun run = RunCommand({"audit", "verify", "-"}, audit.Text());
  EXPECT_EQ(run.code, kFailed);
  EXPECT_THAT(run.out, HasSubstr("broken: standard input:3: record 3 of shop/checkout/otlp was "
                                 "changed"));
}

TEST(AuditVerify, FindsACutEndByTheJournal) {
  const test_support::TemporaryFolder folder{"audit"};
  Audit audit = MakeAudit(5);
  const std::string journal = Write(folder, "journal.json", audit.journal.ToJson());
  EXPECT_EQ(RunCommand({"audit", "verify", "-", "--journal", journal}, audit.Text()).code, kDone);
  EXPECT_EQ(RunCommand({"audit", "verify", "--journal", journal, "-"}, audit.Text()).code, kDone);
  audit.lines.pop_back();
  EXPECT_EQ(RunCommand({"audit", "verify", "-"}, audit.Text()).code, kDone);
  const CommandRun run = RunCommand({"audit", "verify", "-", "--journal", journal}, audit.Text());
  EXPECT_EQ(run.code, kFailed);
  EXPECT_THAT(run.out, HasSubstr("ends after record 4: its journal knows of 5"));
}

struct UnusableCase {
  const char* name;
  std::vector<std::string> arguments;
  const char* sentence;
};

class AuditVerifyUnusable : public ::testing::TestWithParam<UnusableCase> {};

TEST_P(AuditVerifyUnusable, EndsWithCodeTwoAndASentence) {
  const CommandRun run = RunCommand(GetParam().arguments, "");
  EXPECT_EQ(run.code, kUnusable);
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_THAT(run.err, HasSubstr(GetParam().sentence));
}

INSTANTIATE_TEST_SUITE_P(
    All, AuditVerifyUnusable,
    ::testing::Values(
        UnusableCase{"NoCommand", {"audit"}, "subcommand is required"},
        UnusableCase{"WrongCommand", {"audit", "burn"}, "there is no command 'burn'"},
        UnusableCase{"NoFile", {"audit", "verify"}, "file is required"},
        UnusableCase{"NoSuchFile", {"audit", "verify", "/no/such"}, "cannot be opened"},
        UnusableCase{
            "NoJournal", {"audit", "verify", "-", "--journal", "/no/such"}, "cannot be opened"},
        UnusableCase{
            "JournalFromInput", {"audit", "verify", "-", "--journal", "-"}, "not standard input"},
        UnusableCase{"NotAJournal",
                     {"audit", "verify", "-", "--journal", Data("policy.yaml")},
                     "the rotation journal"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tracekeeper::cli
