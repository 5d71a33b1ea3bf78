#pragma once
// Reads a credential and the number of its version from one folder of a mounted Secret. The kubelet
// changes all of its files at once, by swapping the link `..data`; two that are opened one after
// the other could be of two versions, and a number beside the wrong value would end a value in use.
//
// Threads:  pure but for the file system; safe from any thread.
// Limits:   as config_file.h; a number has at most 19 digits.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sidecar/config_file.h"
#include "sidecar/file_stamp.h"

namespace tracekeeper::sidecar {

/// The file beside the value that holds its number, where the operator rotates it.
inline constexpr std::string_view kNumberFile = "version";

struct MountedCredential {
  FileReading value = FileMissing{};  // the caller wipes it
  std::optional<FileStamp> stamp;
  std::string version;                 // VersionOf the mount
  std::optional<std::int64_t> number;  // nothing: none, or no number
};

/// FileMissing, too, while the mount changes under each of a few tries.
MountedCredential ReadMountedCredential(const std::string& path);

/// Decimal digits, with or without a line end: at least 1.
[[nodiscard]] std::optional<std::int64_t> NumberIn(std::string_view text);

}  // namespace tracekeeper::sidecar
