#pragma once
// Reads the configuration file once, as it is now: a plain value for ConfigState to judge.
//
// Threads:  pure but for the file system; safe from any thread.
// Limits:   config::kSidecarConfigMaxBytes; never blocks on a FIFO, never reads a device.

#include <string>
#include <variant>

namespace tracekeeper::sidecar {

struct FileMissing {};
struct FileUnreadable {
  std::string reason;  // a sentence without the path: "permission denied"
};
struct FileText {
  std::string text;
};
using FileReading = std::variant<FileMissing, FileUnreadable, FileText>;

FileReading ReadConfigFile(const std::string& path);

}  // namespace tracekeeper::sidecar
