#pragma once
// Lines of Prometheus' text format 0.0.4. A family's head comes once, before its samples.
//
// Threads:  pure functions that append to the caller's string.

#include <string>
#include <string_view>

namespace tracekeeper::sidecar {

void AppendFamily(std::string& out, std::string_view name, std::string_view type,
                  std::string_view help);
/// `name_and_labels` as it stands in the line: name{label="value"}.
void AppendSample(std::string& out, std::string_view name_and_labels, double value);

}  // namespace tracekeeper::sidecar
