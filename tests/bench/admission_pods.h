#pragma once
// Pods for the admission benchmarks, as the API server sends them: with defaults filled in and
// managedFields, which are a good part of a real pod's bytes.
//
// Threads:  pure.

#include <cstddef>
#include <string>

namespace tracekeeper::bench {

struct PodShape {
  std::size_t containers = 2;
  std::size_t variables = 30;  // of each container
  bool managed_fields = true;
};

std::string MakePod(const PodShape& shape);

}  // namespace tracekeeper::bench
