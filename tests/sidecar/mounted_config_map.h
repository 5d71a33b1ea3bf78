#pragma once
// MountedConfigMap is a folder that changes as the kubelet changes a mounted ConfigMap: the files
// of one version in a folder of their own, `..data` a link to it that is swapped by rename, and the
// keys links through `..data`.
//
// Threads:  one thread at a time.
// Owner:    the test; the folder goes with the object.

#include <filesystem>
#include <optional>
#include <string>

#include "tests/support/temporary_folder.h"

namespace tracekeeper::sidecar {

class MountedConfigMap {
 public:
  /// The file that a program reads.
  [[nodiscard]] std::string file() const { return (folder_ / "config.yaml").string(); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

  /// A new version with this text; none: the ConfigMap is gone (it was mounted as optional).
  void Publish(const std::optional<std::string>& text);

 private:
  test_support::TemporaryFolder folder_{"config-map"};
  int version_ = 0;
};

/// A configuration of policy shop/checkout with its digest line.
std::string ConfigText(std::int64_t generation);
/// Its digest, as /status shows it.
std::string ConfigDigest(std::int64_t generation);

}  // namespace tracekeeper::sidecar
