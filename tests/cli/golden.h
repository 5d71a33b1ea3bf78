#pragma once
// Golden files: whole outputs, compared byte by byte. TRACEKEEPER_UPDATE_GOLDEN=1 writes them
// anew; the change is then reviewed like any other.
//
// Threads:  one thread at a time.

#include <string>

namespace tracekeeper::cli {

/// Compares `text` with tests/cli/golden/NAME.
void ExpectGolden(const std::string& name, const std::string& text);

}  // namespace tracekeeper::cli
