#include "operator/app/sidecar_reader.h"

#include "operator/domain/sidecar_report.h"
#include "src/net/origin.h"
#include "src/net/transports.h"

namespace tracekeeper::app {
namespace {

constexpr Duration kDeadline = std::chrono::seconds(2);

}  // namespace

Result<std::string> HttpSidecarReader::Read(const std::string& address, const StopToken& stop) {
  net::TransportOptions options;
  options.name = "sidecar";
  options.base_url = net::Origin{.host = address, .port = port_}.Text();
  options.connect_deadline = kDeadline;
  const auto transport = TRY(net::MakeBeastTransport(std::move(options)));
  auto answer =
      TRY(transport->Send({.target = "/status"},
                          {.deadline = kDeadline, .body_limit = domain::kMostReportBytes}, stop));
  if (answer.status != 200) {
    return Fail(ErrorKind::kUnavailable, "the sidecar at {} answered {}", address, answer.status);
  }
  return std::move(answer.body);
}

}  // namespace tracekeeper::app
