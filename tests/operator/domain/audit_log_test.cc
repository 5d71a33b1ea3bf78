#include "operator/domain/audit_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "operator/domain/audit_chain.h"

namespace tracekeeper::domain {
namespace {

TEST(AuditOfLog, TakesTheRecordsAsTheyWereLoggedAndNothingElse) {
  std::string records;
  AuditHead head;
  std::string log = "time=2026-01-01T00:00:00Z level=info msg=\"Started workers\" workers=4\n";
  for (int i = 0; i < 3; ++i) {
    AuditRecord record;
    record.object = "shop/checkout";
    record.uid = "uid";
    record.credential = "it";
    record.rotation = "r-1";
    record.step = "Prepared";
    record.cause = "Due";
    record.outcome = "ok";
    const AuditLine line = NextAuditLine(record, head);
    head = line.head;
    records += line.text + "\n";
    std::string quoted;
    for (const char c : line.text) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    log += fmt::format("time=t level=info msg=\"Rotation audit\" object=shop/x record=\"{}\"\n",
                       quoted);
    log += "time=t level=warn msg=other record=\"not of the audit\"\n";
  }
  EXPECT_EQ(AuditOfLog(log), records);
  EXPECT_FALSE(VerifyAudit(AuditOfLog(log)).fault);
}

TEST(AuditOfLog, KeepsARecordThatWasCutSoThatItShows) {
  EXPECT_EQ(AuditOfLog("x msg=\"Rotation audit\" record=\"{\\\"v\\\":1"), "{\"v\":1\n");
  EXPECT_EQ(AuditOfLog(""), "");
}

}  // namespace
}  // namespace tracekeeper::domain
