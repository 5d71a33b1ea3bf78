#pragma once
// PostgresServer is a real PostgreSQL for one test, on a free port of 127.0.0.1, with a superuser
// "postgres". PostgreSQL refuses to run as root, so where the test is root it runs as the user
// "postgres" of the package.
//
// Threads:  one thread at a time; see ChildProcess for the thread that starts it.
// Owner:    the test. The server ends with the object, and also when the test crashes.
// Failure:  an Error with the tail of its log when it does not start. WhyNot() where the package is
//           not installed.
// Cost:     2 to 4 s to start.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"

namespace tracekeeper::test_support {

class PostgresServer {
 public:
  /// Why none can start here, in a sentence for GTEST_SKIP, or nothing.
  static std::optional<std::string> WhyNot();
  static Result<std::unique_ptr<PostgresServer>> Start();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& superuser_password() const { return password_; }

  /// What `sql` gives as that user: rows in lines, columns parted by "|".
  Result<std::string> Query(std::string_view user, std::string_view password,
                            std::string_view sql) const;

 private:
  PostgresServer() : folder_("postgres") {}
  Status MakeCluster() const;
  Status Launch();

  TemporaryFolder folder_;
  std::uint16_t port_ = 0;
  std::string password_ = "superuser-of-a-test";
  std::optional<ChildProcess> process_;
};

}  // namespace tracekeeper::test_support
