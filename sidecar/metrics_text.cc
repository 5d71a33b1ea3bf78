#include "sidecar/metrics_text.h"

#include <fmt/format.h>

#include <iterator>

namespace tracekeeper::sidecar {

void AppendFamily(std::string& out, std::string_view name, std::string_view type,
                  std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

void AppendSample(std::string& out, std::string_view name_and_labels, double value) {
  fmt::format_to(std::back_inserter(out), "{} {}\n", name_and_labels, value);
}

}  // namespace tracekeeper::sidecar
