#pragma once
// Finds the process of a container, for tests that kill or measure it. Needs nodes of a Bed: their
// processes are this machine's.
//
// Threads:  any.
// Failure:  nothing where no such process runs.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace tracekeeper::test_support {

/// The process of the pod with this uid whose command line begins with `program`.
std::optional<pid_t> PodProcess(const std::string& pod_uid, std::string_view program);

}  // namespace tracekeeper::test_support
