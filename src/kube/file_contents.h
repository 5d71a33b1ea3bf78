#pragma once
// FileContents keeps the bytes of one small file that somebody else replaces now and then, and
// reads it again when the last look is older than a period.
//
// Threads:  one at a time: the owner's lock.
// Failure:  a read that fails keeps the last good bytes; `failing()` says so until it heals.
// Limits:   kMaxBytes; a larger file counts as unreadable.

#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"

namespace tracekeeper::kube {

/// The whole of a file of at most `limit` bytes. Errors name the path and the reason.
Result<std::string> ReadSmallFile(const std::string& path, std::size_t limit);

class FileContents {
 public:
  static constexpr std::size_t kMaxBytes = 1U << 20U;

  FileContents() = default;
  FileContents(std::string path, Duration period) : path_(std::move(path)), period_(period) {}

  /// Reads the file if the last try is older than the period. An error is told once, when it
  /// begins.
  Status RefreshIfDue(MonotonicTime now);
  /// Reads the file whatever its age.
  Status Refresh(MonotonicTime now);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  /// Grows when the bytes change.
  [[nodiscard]] std::uint64_t version() const { return version_; }

 private:
  std::string path_;
  Duration period_{};
  MonotonicTime last_try_{};
  bool is_failing_ = false;
  std::string bytes_;
  std::uint64_t version_ = 0;
};

}  // namespace tracekeeper::kube
