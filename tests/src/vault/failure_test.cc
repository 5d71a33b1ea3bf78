#include "src/vault/failure.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "src/net/transport.h"
#include "src/vault/lease.h"
#include "tests/src/vault/fixture.h"

namespace tracekeeper::vault {
namespace {

TEST(FailureTable, EveryRowIsWholeAndNamedOnce) {
  std::set<std::string_view> reasons;
  std::set<std::string_view> labels;
  for (const FailureRow& row : kFailures) {
    SCOPED_TRACE(std::string(row.label));
    EXPECT_TRUE(reasons.insert(row.reason).second);
    EXPECT_TRUE(labels.insert(row.label).second);
    EXPECT_EQ(row.reason.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
              std::string_view::npos);
    EXPECT_EQ(row.label.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos);
    EXPECT_FALSE(row.what.empty());
    EXPECT_FALSE(row.remedy.empty());
    EXPECT_EQ(RowOf(row.failure).label, row.label);
  }
}

TEST(FailureTable, AnErrorLeadsBackToItsRow) {
  for (const FailureRow& row : kFailures) {
    const Error error = MakeError(row.failure, "read kv/shop", "404: nothing");
    EXPECT_EQ(FailureOf(error), row.failure);
    EXPECT_EQ(error.kind, row.kind);
    EXPECT_NE(error.message.find("read kv/shop"), std::string::npos);
    EXPECT_NE(error.message.find(row.what), std::string::npos);
    EXPECT_NE(error.message.find(row.remedy), std::string::npos);
  }
  EXPECT_EQ(FailureOf(Error{.kind = ErrorKind::kInternal}), std::nullopt);
}

struct ScrubCase {
  std::string_view name, text, want;
};
constexpr ScrubCase kScrubCases[] = {
    {"a sentence stays", "permission denied", "permission denied"},
    {"a path stays", "no handler for route \"team-a/kv2/data/shop\"",
     "no handler for route \"team-a/kv2/data/shop\""},
    {"lines become one", "1 error occurred:\n\t* permission denied\r\n\n",
     "1 error occurred: * permission denied"},
    {"a token goes", "bad token hvs.CAESIJx0xYz12345678901234567890 used",
     "bad token [left out] used"},
    {"a UUID goes", "id 6ba7b810-9dad-11d1-80b4-00c04fd430c8", "id [left out]"},
    {"a JWT goes", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln: expired", "[left out]: expired"},
    {"escape sequences go", "a\x1b[31mred", "a [31mred"},
    {"other bytes become blanks", "caf\xc3\xa9 \xff", "caf"},
};

TEST(Scrub, LeavesOneLineWithoutSecrets) {
  for (const ScrubCase& c : kScrubCases) EXPECT_EQ(Scrub(c.text), c.want) << c.name;
  EXPECT_LE(Scrub(std::string(100'000, 'x') + " y").size(), 240U);
  EXPECT_LE(Scrub(std::string(100'000, '!')).size(), 240U);
}

/// What Vault or the network answers, what was asked, and the row that this is.
struct AnswerCase {
  std::string_view name;
  Operation operation;
  int status;
  std::string_view body;
  Failure want;
};

constexpr std::string_view kNoErrors = R"({"errors":[]})";
constexpr std::string_view kDenied =
    R"({"errors":["1 error occurred:\n\t* permission denied\n\n"]})";
constexpr AnswerCase kAnswerCases[] = {
    {"sealed, read", Operation::kKvRead, 503, kSealedBody, Failure::kSealed},
    {"sealed, login", Operation::kLogin, 503, kSealedBody, Failure::kSealed},
    {"sealed, by health", Operation::kHealth, 503, kSealedHealth, Failure::kSealed},
    {"gone", Operation::kKvRead, 503, "", Failure::kUnavailable},
    {"a proxy without Vault behind it", Operation::kKvRead, 502, "<html>bad gateway</html>",
     Failure::kUnavailable},
    {"gateway timeout", Operation::kKvRead, 504, "", Failure::kUnavailable},
    {"standby that redirects", Operation::kKvRead, 307, "", Failure::kStandby},
    {"standby without an active node", Operation::kKvRead, 500,
     R"({"errors":["local node not active but active cluster node not found"]})",
     Failure::kStandby},
    {"required state", Operation::kKvRead, 412,
     R"({"errors":["required index state not present"]})", Failure::kStandby},
    {"health of a standby", Operation::kHealth, 429, kActive, Failure::kStandby},
    {"health of a disaster recovery node", Operation::kHealth, 472, kActive, Failure::kStandby},
    {"health of a performance standby", Operation::kHealth, 473, kActive, Failure::kStandby},
    {"KV that is being upgraded", Operation::kKvRead, 400,
     R"({"errors":["Upgrading from non-versioned to versioned data. This backend will be unavailable"]})",
     Failure::kStandby},
    {"quota", Operation::kKvRead, 429,
     R"({"errors":["request path \"kv/data/shop\": rate limit quota exceeded"]})",
     Failure::kRateLimited},
    {"not initialised", Operation::kHealth, 501, R"({"initialized":false,"sealed":true})",
     Failure::kNotInitialised},
    {"database is down", Operation::kDatabaseCredentials, 500,
     R"({"errors":["1 error occurred:\n\t* dial tcp 10.0.0.1:5432: connection refused"]})",
     Failure::kEngineFailed},
    {"login, wrong role", Operation::kLogin, 400, R"({"errors":["invalid role name \"x\""]})",
     Failure::kLoginRefused},
    {"login, wrong account", Operation::kLogin, 403, kDenied, Failure::kLoginRefused},
    {"login, no such mount", Operation::kLogin, 404,
     R"({"errors":["no handler for route \"auth/k8s/login\". route entry not found."]})",
     Failure::kLoginRefused},
    {"wrapping token used before", Operation::kUnwrap, 400,
     R"({"errors":["wrapping token is not valid or does not exist"]})", Failure::kLoginRefused},
    {"policy", Operation::kKvRead, 403, kDenied, Failure::kPermissionDenied},
    {"token that Vault does not know", Operation::kTokenLookup, 403, kDenied,
     Failure::kTokenRevoked},
    {"newer Vault says so on any path", Operation::kKvRead, 403,
     R"({"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]})",
     Failure::kTokenRevoked},
    {"batch token, renewed", Operation::kTokenRenew, 400,
     R"({"errors":["batch tokens cannot be renewed"]})", Failure::kBatchToken},
    {"token that cannot be renewed", Operation::kTokenRenew, 400,
     R"({"errors":["lease is not renewable"]})", Failure::kLeaseNotRenewable},
    {"namespace", Operation::kKvRead, 404, R"({"errors":["namespace not found"]})",
     Failure::kNamespaceWrong},
    {"namespace, at login", Operation::kLogin, 404, R"({"errors":["namespace not found"]})",
     Failure::kNamespaceWrong},
    {"nothing there", Operation::kKvRead, 404, kNoErrors, Failure::kNotFound},
    {"no such mount", Operation::kKvRead, 404,
     R"({"errors":["no handler for route \"kv/data/shop\". route entry not found."]})",
     Failure::kNotFound},
    {"soft-deleted", Operation::kKvRead, 404,
     R"({"data":{"data":null,"metadata":{"deletion_time":"2026-01-02T03:04:05Z","destroyed":false,"version":2}}})",
     Failure::kVersionDeleted},
    {"destroyed", Operation::kKvRead, 404,
     R"({"data":{"data":null,"metadata":{"deletion_time":"","destroyed":true,"version":1}}})",
     Failure::kVersionDestroyed},
    {"version 2 where 1 was meant", Operation::kKvRead, 404,
     R"({"warnings":["Invalid path for a versioned K/V secrets engine. See the API docs"]})",
     Failure::kWrongKvVersion},
    {"CAS", Operation::kKvWrite, 400,
     R"({"errors":["check-and-set parameter did not match the current version"]})",
     Failure::kCasConflict},
    {"CAS is required", Operation::kKvWrite, 400,
     R"({"errors":["check-and-set parameter required for this call"]})", Failure::kRequestRefused},
    {"lease that is gone", Operation::kLeaseRenew, 400, R"({"errors":["lease not found"]})",
     Failure::kLeaseNotFound},
    {"lease that is gone, lookup", Operation::kLeaseLookup, 400, R"({"errors":["invalid lease"]})",
     Failure::kLeaseNotFound},
    {"lease that does not renew", Operation::kLeaseRenew, 400,
     R"({"errors":["lease is not renewable"]})", Failure::kLeaseNotRenewable},
    {"lease past its longest life", Operation::kLeaseRenew, 500,
     R"({"errors":["1 error occurred:\n\t* past the max TTL, cannot renew\n\n"]})",
     Failure::kLeaseNotRenewable},
    {"token past its longest life", Operation::kTokenRenew, 500,
     R"({"errors":["1 error occurred:\n\t* past the max TTL, cannot renew\n\n"]})",
     Failure::kLeaseNotRenewable},
    {"certificate that is not there", Operation::kPkiRevoke, 400,
     R"({"errors":["certificate with serial 11:22 not found"]})", Failure::kNotFound},
    {"name that the role forbids", Operation::kPkiIssue, 400,
     R"({"errors":["common name x not allowed by this role"]})", Failure::kRequestRefused},
    {"method", Operation::kKvMetadata, 405,
     R"({"errors":["1 error occurred: unsupported operation"]})", Failure::kRequestRefused},
    {"a web server, 404", Operation::kKvRead, 404, "<html>not found</html>",
     Failure::kAnswerNotVault},
    {"a web server, 403", Operation::kKvRead, 403, "<html>forbidden</html>",
     Failure::kAnswerNotVault},
    {"a web server, 200", Operation::kKvRead, 200, "<html>welcome</html>",
     Failure::kAnswerNotVault},
    {"a list, not an object", Operation::kKvRead, 200, "[1]", Failure::kAnswerNotVault},
    {"an empty 200", Operation::kKvRead, 200, "", Failure::kAnswerNotVault},
    {"a redirect elsewhere", Operation::kKvRead, 302, "", Failure::kAnswerNotVault},
};

TEST(FailureTable, EveryAnswerHasItsRow) {
  for (const AnswerCase& c : kAnswerCases) {
    SCOPED_TRACE(std::string(c.name));
    Bench bench;
    bench.Reply(c.status, std::string(c.body));
    const auto answer = bench.Ask(c.operation);
    EXPECT_EQ(LabelOf(answer), RowOf(c.want).label) << (answer ? "" : answer.error().message);
    const bool opens = RowOf(c.want).retry == Retry::kAfterProbe;
    EXPECT_EQ(bench.endpoint.circuit(), opens ? CircuitState::kOpen : CircuitState::kClosed);
  }
}

TEST(FailureTable, WhatBreaksOnTheWayHasItsRow) {
  const std::pair<Error, Failure> cases[] = {
      {{.kind = ErrorKind::kUnavailable, .message = "connection refused"}, Failure::kUnavailable},
      {{.kind = ErrorKind::kTimeout, .message = "no answer in time"}, Failure::kUnavailable},
      {{.kind = ErrorKind::kUnavailable, .message = "TLS", .reason = net::kCertificateRefused},
       Failure::kCertificateRefused},
      {{.kind = ErrorKind::kDecode, .message = "not HTTP"}, Failure::kAnswerNotVault},
  };
  for (const auto& [error, want] : cases) {
    Bench bench;
    bench.transport.Answer({.error = error});
    EXPECT_EQ(LabelOf(bench.Ask()), RowOf(want).label);
  }
  Bench bench;
  bench.transport.Answer({.error = Error{.kind = ErrorKind::kCancelled, .message = "stopped"}});
  const auto cancelled = bench.Ask();
  EXPECT_EQ(cancelled.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(bench.endpoint.circuit(), CircuitState::kClosed);
}

TEST(FailureTable, ATooLargeSecretIsRefused) {
  Bench bench;
  bench.Reply(200, R"({"data":{"data":{"a":")" + std::string(10U << 20U, 'x') + R"("}}})");
  const auto answer = bench.Ask();
  EXPECT_EQ(LabelOf(answer), "answer_too_large");
  EXPECT_LT(answer.error().message.size(), 400U);
}

TEST(FailureTable, EveryRowIsReachedBySomeTest) {
  std::set<Failure> reached = {Failure::kCertificateRefused, Failure::kAnswerTooLarge,
                               // lease_test.cc, endpoint_test.cc, kv_test.cc:
                               Failure::kLeaseTruncated, Failure::kClockSkew,
                               Failure::kMalformedSecret};
  for (const AnswerCase& c : kAnswerCases) reached.insert(c.want);
  for (const FailureRow& row : kFailures) EXPECT_TRUE(reached.contains(row.failure)) << row.label;
}

TEST(FailureTable, NoErrorHoldsASecret) {
  const std::string canary(kCanary);
  const std::string bodies[] = {
      canary,
      "<html>" + canary + "</html>",
      R"({"data":{"password":")" + canary + R"("},"errors":["denied"]})",
      R"({"errors":["token )" + canary + R"( is bad"]})",
      R"({"warnings":[")" + canary + R"("],"auth":{"client_token":")" + canary + R"("}})",
      R"({"data":{"metadata":{"deletion_time":")" + canary + R"(","destroyed":true}}})",
      R"({"request_id":")" + canary + R"(","data":{)",
      R"({"data":{"data":{")" + canary + R"(":1},"metadata":{"version":")" + canary + R"("}}})",
  };
  for (const std::string& body : bodies) {
    for (const int status : {200, 302, 400, 403, 404, 405, 412, 429, 500, 501, 502, 503}) {
      for (const OperationRow& row : kOperations) {
        Bench bench;
        bench.Reply(status, body);
        const auto answer = bench.Ask(row.operation);
        if (answer) {
          EXPECT_EQ(answer->request_id().find(canary), std::string::npos);
          const auto lease = ReadLease(*answer, "read");
          EXPECT_EQ(lease.error().message.find("CANARY"), std::string::npos);
        } else {
          EXPECT_EQ(answer.error().message.find("CANARY"), std::string::npos) << body;
        }
      }
    }
  }
}

}  // namespace
}  // namespace tracekeeper::vault
