#include "sidecar/file_stamp.h"

#include <fmt/chrono.h>
#include <sys/stat.h>

#include <filesystem>
#include <system_error>

namespace tracekeeper::sidecar {

std::optional<FileStamp> StampOf(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileStamp{.device = status.st_dev,
                   .inode = status.st_ino,
                   .size = static_cast<std::uint64_t>(status.st_size),
                   .modified = Instant(std::chrono::seconds(status.st_mtim.tv_sec) +
                                       std::chrono::nanoseconds(status.st_mtim.tv_nsec))};
}

std::string VersionOf(const std::string& path, const FileStamp& stamp) {
  std::error_code error;
  const auto folder = std::filesystem::path(path).parent_path();
  const auto target = std::filesystem::read_symlink(folder / "..data", error);
  if (!error && !target.empty()) return target.filename().string();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(stamp.modified);
  const auto fraction =
      std::chrono::duration_cast<std::chrono::microseconds>(stamp.modified - Instant(seconds));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), fraction.count());
}

}  // namespace tracekeeper::sidecar
