// Our gRPC against gRPC's own library (Debian's python3-grpcio), both ways.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <sstream>

#include "src/net/grpc.h"
#include "src/net/http2_client.h"
#include "tests/src/net/test_server.h"
#include "tests/support/folders.h"
#include "tests/support/process.h"

namespace tracekeeper::net {
namespace {

using std::chrono::seconds;
using test_support::ChildProcess;
using test_support::RunProcess;
using testing::HasSubstr;

const std::string kPeer = test_support::SourceFolder() / "tests/src/net/grpc_peer.py";
// The system's own: python3-grpcio belongs to it, whatever else is called python3 here.
const std::string kPython = "/usr/bin/python3";

// --- Our client, their server --------------------------------------------------------------------

class GrpcClient : public testing::Test {
 protected:
  void SetUp() override {
    log_ = std::filesystem::path(testing::TempDir()) /
           ("grpc_peer." + std::to_string(::getpid()) + ".log");
    auto peer = ChildProcess::Start({{kPython, kPeer, "serve"}}, log_);
    ASSERT_TRUE(peer) << peer.error().message;
    peer_.emplace(*std::move(peer));
    ASSERT_TRUE(peer_->WaitForLog("\n", seconds(20))) << peer_->ReadLog();
    auto client =
        MakeHttp2Client({.transport = {.name = "peer", .base_url = "http://127.0.0.1:" + Port()}});
    ASSERT_TRUE(client);
    client_ = *std::move(client);
  }

  void TearDown() override {
    client_.reset();
    peer_.reset();
    std::filesystem::remove(log_);
  }

  [[nodiscard]] std::string Port() const {
    const std::string log = peer_->ReadLog();
    return log.substr(0, log.find('\n'));
  }

  GrpcReply Call(std::string_view method, std::string_view message,
                 Duration timeout = seconds(20)) {
    const Request request = WriteGrpcRequest({method, message, {}, timeout}, {});
    auto answer =
        client_->Send(request, {.deadline = timeout + seconds(10), .body_limit = 64U << 20U}, {});
    if (answer) return ReadGrpcResponse(*std::move(answer));
    ADD_FAILURE() << answer.error().error.message;
    return {};
  }

  std::filesystem::path log_;
  std::optional<ChildProcess> peer_;
  std::unique_ptr<Http2Client> client_;
};

TEST_F(GrpcClient, GetsAnAnswerWhateverItsSize) {
  for (const std::size_t size : {0U, 1U, 65'535U, 1'000'000U, 20'000'000U}) {
    const std::string message(size, 'm');
    const GrpcReply reply = Call("/test.Peer/Echo", message);
    EXPECT_TRUE(reply.status.ok()) << reply.status.message;
    EXPECT_TRUE(reply.message == message);
  }
}

TEST_F(GrpcClient, GetsStatusMessageAndDetails) {
  const GrpcReply reply = Call("/test.Peer/Fail", "x");
  EXPECT_EQ(reply.status.code, GrpcCode::kUnavailable);
  EXPECT_EQ(reply.status.message, "später, 50 %\n");
  EXPECT_EQ(reply.status.details_base64.substr(0, 10), "CA4SA2FiYw");
}

TEST_F(GrpcClient, LearnsThatAMethodIsNotThere) {
  EXPECT_EQ(Call("/test.Peer/None", "x").status.code, GrpcCode::kUnimplemented);
}

TEST_F(GrpcClient, HandsACompressedAnswerUp) {
  const GrpcReply reply = Call("/test.Peer/Compress", std::string(1'000, 'c'));
  EXPECT_EQ(reply.encoding, "gzip");
  EXPECT_EQ(reply.message.substr(0, 2), "\x1F\x8B");
}

TEST_F(GrpcClient, TellsTheServerItsTimeout) {
  EXPECT_EQ(Call("/test.Peer/Slow", "x", std::chrono::milliseconds(200)).status.code,
            GrpcCode::kDeadlineExceeded);
}

// --- Their client, our server --------------------------------------------------------------------

/// Echoes calls of the service "test.Peer" as its methods' names ask for.
Response Serve(const Request& request) {
  const auto call = ReadGrpcRequest(request);
  if (!call) return WriteGrpcResponse({.status = call.error()});
  if (call->method == "/test.Peer/Fail") {
    return WriteGrpcResponse({.status = {GrpcCode::kResourceExhausted, "später, 50 %\n", {}}});
  }
  if (call->method != "/test.Peer/Echo") {
    return WriteGrpcResponse({.status = {GrpcCode::kUnimplemented, "no such method", {}}});
  }
  Response response = WriteGrpcResponse(
      {.message = std::string(call->message), .encoding = std::string(call->encoding)});
  response.trailers.Add("x-trailer", request.headers.Get("x-caller"));
  return response;
}

TEST(GrpcServer, AnswersGrpcsOwnClient) {
  ServerOptions options;
  options.limits.body_bytes = 32U << 20U;
  TestServer server(Serve, options, &MakeHttp2Server);
  const auto run = RunProcess(
      {{kPython, kPeer, "call", server.url().substr(7), "Echo:0", "Echo:5", "Echo:20000000",
        "Echo+gzip:100000", "Fail", "None", "Echo:33554432", "Echo:7"}});
  ASSERT_TRUE(run) << run.error().message;
  ASSERT_TRUE(run->ok()) << run->err;
  const std::string ok = R"("same": true, "trailers": {"x-trailer": "python"}})";
  std::istringstream lines(run->out);
  for (const std::string& want :
       {R"({"code": "OK", "size": 0, )" + ok, R"({"code": "OK", "size": 5, )" + ok,
        R"({"code": "OK", "size": 20000000, )" + ok, R"({"code": "OK", "size": 100000, )" + ok,
        std::string(R"({"code": "RESOURCE_EXHAUSTED", "message": "sp\u00e4ter, 50 %\n"})"),
        std::string(R"({"code": "UNIMPLEMENTED", "message": "no such method"})"),
        std::string(
            R"({"code": "RESOURCE_EXHAUSTED", "message": "The request body is too long."})"),
        R"({"code": "OK", "size": 7, )" + ok}) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(line, want);
  }
}

TEST(GrpcServer, AnswersH2loadWithoutAnError) {
  TestServer server(Echo, {}, &MakeHttp2Server);
  const auto run =
      RunProcess({{"h2load", "-n", "20000", "-c", "8", "-m", "50", "-t", "1", server.url()}});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_THAT(run->out, HasSubstr("20000 total, 20000 started, 20000 done, 20000 succeeded"));
}

}  // namespace
}  // namespace tracekeeper::net
