#pragma once
// RelayBed is the real sidecar beside a real Collector: its configuration and credential mounted as
// a kubelet mounts them, spans sent to its ports, what arrived compared as sets of span ids.
//
// Threads:  the test's own.
// Owner:    the test; programs and files end with it.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "src/config/sidecar_config.h"
#include "src/net/transport.h"
#include "tests/sidecar/mounted_config_map.h"
#include "tests/sidecar/sidecar_process.h"
#include "tests/support/collector.h"

namespace tracekeeper::sidecar {

class RelayBed {
 public:
  RelayBed();

  /// Writes the configuration that exports to `target` and, if `change` is given, as it changes it.
  void Publish(const config::Export& target,
               const std::function<void(config::SidecarConfig&)>& change = {});
  void StartSidecar(std::vector<std::string> flags = {});

  /// Sends one request of `count` new spans over OTLP/HTTP; 0 when the sidecar refused it.
  int Send(int count);
  /// Sends one request of any signal over OTLP/HTTP, which must be taken.
  void Post(const std::string& path, std::string body);
  /// Ids of all spans that were taken, in hexadecimal.
  [[nodiscard]] const std::set<std::string>& sent() const { return sent_; }

  [[nodiscard]] std::string http_endpoint() const;
  [[nodiscard]] std::string grpc_endpoint() const;
  SidecarProcess& sidecar() { return *sidecar_; }
  /// The value of a metric's line, which begins with `name_and_labels`; -1 without such a line.
  double Metric(const std::string& name_and_labels);
  bool WaitForMetric(const std::string& name_and_labels, const std::function<bool(double)>& holds);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.folder(); }
  /// The mounted Secret: Publish() swaps it, file() is what export.auth.file names.
  MountedConfigMap& credential() { return credential_; }

 private:
  MountedConfigMap folder_;  // logs and certificates
  MountedConfigMap config_;
  MountedConfigMap credential_;
  config::SidecarPorts ports_;
  std::int64_t generation_ = 0;
  std::uint64_t next_span_ = 1;
  std::set<std::string> sent_;
  std::optional<SidecarProcess> sidecar_;
  std::unique_ptr<net::Transport> to_sidecar_;
};

}  // namespace tracekeeper::sidecar
