#pragma once
// Where the sources and the built programs are. Functions, so that no test is compiled anew because
// it is built in another folder.
//
// Threads:  any.

#include <filesystem>

namespace tracekeeper::test_support {

/// The top of the clone.
const std::filesystem::path& SourceFolder();
/// Of this build: build/dev.
const std::filesystem::path& BuildFolder();
/// `name` of this build: tracekeeper, tracekeeper-operator, tracekeeper-sidecar.
std::filesystem::path Program(const std::string& name);

}  // namespace tracekeeper::test_support
