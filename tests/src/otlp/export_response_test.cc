#include "src/otlp/export_response.h"

#include <gtest/gtest.h>

namespace tracekeeper::otlp {
namespace {

TEST(ExportResponse, IsEmptyWhereAllWasTaken) {
  EXPECT_EQ(WriteExportResponse(Signal::kTraces, PayloadFormat::kProtobuf), "");
  EXPECT_EQ(WriteExportResponse(Signal::kTraces, PayloadFormat::kJson), "{}");
  EXPECT_FALSE(ReadPartialSuccess(""));
}

TEST(ExportResponse, NamesWhatWasRejectedByItsSignal) {
  const PartialSuccess partial{2, "why \"so\""};
  EXPECT_EQ(WriteExportResponse(Signal::kTraces, PayloadFormat::kJson, partial),
            R"({"partialSuccess":{"rejectedSpans":"2","errorMessage":"why \"so\""}})");
  EXPECT_EQ(WriteExportResponse(Signal::kMetrics, PayloadFormat::kJson, {1, ""}),
            R"({"partialSuccess":{"rejectedDataPoints":"1","errorMessage":""}})");
  EXPECT_EQ(WriteExportResponse(Signal::kLogs, PayloadFormat::kJson, {1, ""}),
            R"({"partialSuccess":{"rejectedLogRecords":"1","errorMessage":""}})");
}

TEST(ExportResponse, IsReadAsItWasWritten) {
  const PartialSuccess partial{7, "seven"};
  EXPECT_EQ(
      ReadPartialSuccess(WriteExportResponse(Signal::kLogs, PayloadFormat::kProtobuf, partial)),
      partial);
  EXPECT_FALSE(ReadPartialSuccess("not protobuf"));
  EXPECT_FALSE(ReadPartialSuccess(std::string("\x0a\x00", 2)))
      << "an empty partial success is none";
}

TEST(RpcStatus, IsReadAsItWasWritten) {
  const std::string status =
      WriteRpcStatus(PayloadFormat::kProtobuf, net::GrpcCode::kInvalidArgument, "no OTLP");
  EXPECT_EQ(ReadRpcStatusMessage(status), "no OTLP");
  EXPECT_EQ(ReadRpcStatusMessage("<html>"), "");
  EXPECT_EQ(WriteRpcStatus(PayloadFormat::kJson, net::GrpcCode::kInvalidArgument, "no OTLP"),
            R"({"code":3,"message":"no OTLP"})");
}

}  // namespace
}  // namespace tracekeeper::otlp
