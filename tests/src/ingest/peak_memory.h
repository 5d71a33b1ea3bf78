#pragma once
// PeakMemory tells how much this process has grown since the object was made, at the worst moment.
//
// Threads:  one; it sees what all of them do.

#include <cstddef>
#include <fstream>
#include <string>

#include "tests/src/net/raw_socket.h"

namespace tracekeeper::ingest {

class PeakMemory {
 public:
  PeakMemory() {
    std::ofstream("/proc/self/clear_refs") << "5";  // the kernel forgets the last peak
    before_ = Peak();
  }

  /// Bytes; 0 under a sanitizer, whose own bookkeeping would be most of it.
  [[nodiscard]] std::size_t Growth() const {
    return net::ResidentBytes() == 0 ? 0 : Peak() - before_;
  }

 private:
  static std::size_t Peak() {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line)) {
      if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) << 10U;
    }
    return 0;
  }

  std::size_t before_ = 0;
};

}  // namespace tracekeeper::ingest
