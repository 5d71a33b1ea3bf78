#pragma once
// PodLoad creates pods without pause while a test breaks something, and counts what became of them.
// They are dry runs: the API server admits them as it does others, webhook included, and stores
// nothing.
//
//   PodLoad load(*bed, {.namespace_name = "shop", .labels = R"({"app":"checkout"})"});
//   ... break something ...
//   const PodLoadResult result = load.Stop();
//   EXPECT_EQ(result.missed, 0U) << result;
//
// Threads:  its own; constructor, Stop and destructor from the test's.
// Failure:  an API server that cannot be reached counts as unanswered, not as refused.

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <string>

#include "tests/support/bed.h"

namespace tracekeeper::test_support {

struct PodLoadOptions {
  std::string namespace_name;
  std::string labels = R"({"app":"checkout"})";
  unsigned threads = 4;
};

struct PodLoadResult {
  std::size_t injected = 0;
  std::size_t missed = 0;      // made without a sidecar
  std::size_t refused = 0;     // by admission
  std::size_t unanswered = 0;  // the API server itself was away
  std::string first_refusal;

  friend std::ostream& operator<<(std::ostream& out, const PodLoadResult& result);
};

class PodLoad {
 public:
  PodLoad(const Bed& bed, PodLoadOptions options);
  ~PodLoad();

  /// What has become of the pods so far.
  [[nodiscard]] PodLoadResult result() const;
  PodLoadResult Stop();

 private:
  class Senders;
  std::unique_ptr<Senders> senders_;
};

}  // namespace tracekeeper::test_support
