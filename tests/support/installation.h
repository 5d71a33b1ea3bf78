#pragma once
// Installation is Tracekeeper as its chart installs it in a cluster with real nodes: the programs
// of this build in images, the chart's objects as Helm renders them.
//
//   const auto images = MakeProgramImages(folder);
//   auto bed = Bed::Start({.nodes = 2, .images = *images});
//   ASSERT_TRUE(InstallChart(**bed, {"replicaCount=1"}));
//
// Threads:  one thread at a time.
// Failure:  Errors carry what Helm or kubectl said.

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "tests/support/bed.h"

namespace tracekeeper::test_support {

/// The image `name` of one program of this build, such as tracekeeper-sidecar, written to
/// `archive`.
Status MakeProgramImage(const std::string& program, const std::string& name,
                        const std::filesystem::path& archive);

/// Those of operator and sidecar, written into `folder`, as the chart is told to name them.
Result<std::vector<std::filesystem::path>> MakeProgramImages(const std::filesystem::path& folder);

/// Applies the chart with `values` (as Helm's --set) and waits until its Deployment is available.
Status InstallChart(Bed& bed, const std::vector<std::string>& values = {},
                    std::chrono::seconds limit = std::chrono::seconds(90));

/// "helm3" or "helm4" with `arguments`, as admin: install, upgrade, uninstall. What it printed.
Result<std::string> RunHelm(Bed& bed, std::string_view version, std::vector<std::string> arguments);
/// The chart, and the values that name the images of MakeProgramImages, then `values`.
std::vector<std::string> ChartArguments(const std::vector<std::string>& values = {});

/// What InstallChart applies.
Result<std::string> RenderChart(const std::vector<std::string>& values = {});

}  // namespace tracekeeper::test_support
