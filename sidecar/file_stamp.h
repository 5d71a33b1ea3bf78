#pragma once
// FileStamp tells whether a file is another than before, without reading it: what stat() says of
// the file that its path leads to now.
//
// Threads:  values and functions without state.

#include <cstdint>
#include <optional>
#include <string>

#include "src/base/clock.h"

namespace tracekeeper::sidecar {

struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  Instant modified;

  bool operator==(const FileStamp&) const = default;
};

/// Nothing for a path that leads to no file.
[[nodiscard]] std::optional<FileStamp> StampOf(const std::string& path);

/// A name for this content of the file: the folder that a kubelet's `..data` link leads to
/// ("..2026_01_02_03_04_05.678"), else the time the file was written.
[[nodiscard]] std::string VersionOf(const std::string& path, const FileStamp& stamp);

}  // namespace tracekeeper::sidecar
