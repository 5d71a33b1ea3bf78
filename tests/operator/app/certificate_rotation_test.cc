// The webhook's certificate and its authority change while the API server calls without pause.

#include <set>

#include "tests/operator/app/operator_suite.h"
#include "tests/support/pod_load.h"

namespace tracekeeper {
namespace {

using std::chrono::seconds;
using test_support::PodLoad;
using test_support::PodLoadResult;

class CertificateRotation : public OperatorSuite {
 protected:
  /// Digest of the certificate in force, by the Secret's version.
  static std::string Certificate() {
    return Kubectl({"get", "secret", "-n", "tracekeeper-system", "tracekeeper-webhook-tls", "-o",
                    "go-template={{index .data \"tls.crt\"}}"});
  }
  static std::string FailedCalls() {
    std::string lines;
    const std::string metrics = Kubectl({"get", "--raw", "/metrics"});
    std::size_t at = 0;
    while ((at = metrics.find("\napiserver_admission_webhook_fail_open_count{", at)) !=
           std::string::npos) {
      const std::size_t end = metrics.find('\n', at + 1);
      lines += metrics.substr(at, end - at);
      at = end;
    }
    return lines;
  }
};

TEST_F(CertificateRotation, CostsNoCallWhenCertificatesChangeUnderLoad) {
  operator_.reset();
  // The first one would last a year.
  Kubectl({"delete", "secret", "-n", "tracekeeper-system", "tracekeeper-webhook-tls"});
  StartOperator({.flags = {"--certificate-lifetime=" CERTIFICATE_LIFETIME}});
  ApplyReady({.namespace_name = "rotating"});
  PodLoad load(*bed_, {.namespace_name = "rotating"});
  std::set<std::string> certificates;
  const bool rotated = test_support::Eventually(
      [&certificates] {
        certificates.insert(Certificate());
        return certificates.size() >= CERTIFICATES;
      },
      seconds(60 * CERTIFICATES + 60));
  EXPECT_TRUE(rotated) << certificates.size() << " certificates seen";
  const PodLoadResult result = load.Stop();
  EXPECT_GT(result.injected, 100U) << result;
  EXPECT_EQ(result.missed, 0U) << result;
  EXPECT_EQ(result.refused, 0U) << result;
  EXPECT_EQ(FailedCalls(), "") << "calls that the API server gave up";
  RecordProperty("pods", static_cast<int>(result.injected));
}

}  // namespace
}  // namespace tracekeeper
