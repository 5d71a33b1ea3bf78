#include "src/crypto/core_dumps.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

namespace tracekeeper::crypto {

Status ForbidCoreDumps() {
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) {
    return Fail(ErrorKind::kInternal, "prctl(PR_SET_DUMPABLE): {}", std::strerror(errno));
  }
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) {
    return Fail(ErrorKind::kInternal, "setrlimit(RLIMIT_CORE): {}", std::strerror(errno));
  }
  return {};
}

}  // namespace tracekeeper::crypto
