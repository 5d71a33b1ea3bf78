#include "src/kube/file_contents.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace tracekeeper::kube {

Result<std::string> ReadSmallFile(const std::string& path, std::size_t limit) {
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "rbe"));
  if (!file) {
    const ErrorKind kind = errno == ENOENT ? ErrorKind::kNotFound : ErrorKind::kUnavailable;
    return Fail(kind, "read {}: {}", path, std::strerror(errno));
  }
  std::string bytes;
  char buffer[16384];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, file.get())) {
    if (bytes.size() + count > limit) {
      return Fail(ErrorKind::kInvalid, "read {}: it has more than {} bytes", path, limit);
    }
    bytes.append(buffer, count);
  }
  if (std::ferror(file.get()) != 0) {
    return Fail(ErrorKind::kUnavailable, "read {}: {}", path, std::strerror(errno));
  }
  return bytes;
}

Status FileContents::RefreshIfDue(MonotonicTime now) {
  if (now - last_try_ < period_) return {};
  const bool was_failing = is_failing_;
  Status read = Refresh(now);
  if (!read && was_failing) return {};
  return read;
}

Status FileContents::Refresh(MonotonicTime now) {
  last_try_ = now;
  is_failing_ = true;
  std::string bytes = TRY(ReadSmallFile(path_, kMaxBytes));
  if (bytes.find_first_not_of(" \t\r\n") == std::string::npos) {
    return Fail(ErrorKind::kInvalid, "read {}: the file is empty", path_);
  }
  is_failing_ = false;
  if (bytes != bytes_) {
    bytes_ = std::move(bytes);
    ++version_;
  }
  return {};
}

}  // namespace tracekeeper::kube
