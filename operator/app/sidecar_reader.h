#pragma once
// HttpSidecarReader asks a sidecar's /status over plain HTTP at its pod's address.
//
// Threads:  safe from any thread; a call runs on its caller's.
// Failure:  kUnavailable or kTimeout after two seconds at most; an answer over 64 KiB is kDecode.

#include <cstdint>

#include "operator/controllers/sidecar_controller.h"

namespace tracekeeper::app {

class HttpSidecarReader final : public controllers::SidecarReader {
 public:
  explicit HttpSidecarReader(std::uint16_t port) : port_(port) {}

  Result<std::string> Read(const std::string& address, const StopToken& stop) override;

 private:
  const std::uint16_t port_;
};

}  // namespace tracekeeper::app
