#include "sidecar/config_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "src/config/sidecar_config.h"
#include "src/crypto/secret_string.h"

namespace tracekeeper::sidecar {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

FileUnreadable Unreadable(int error_number) {
  return {std::generic_category().message(error_number)};
}

}  // namespace

FileReading ReadConfigFile(const std::string& path) {
  // O_NONBLOCK: opening a FIFO would otherwise wait for its writer for ever.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.number() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return FileMissing{};
    return Unreadable(errno);
  }
  struct stat status = {};
  if (::fstat(file.number(), &status) != 0) return Unreadable(errno);
  if (!S_ISREG(status.st_mode)) return FileUnreadable{"it is not a regular file"};

  // One byte over the cap is enough to know that the file is too long.
  std::string text(config::kSidecarConfigMaxBytes + 1, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t count = ::read(file.number(), text.data() + length, text.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Unreadable(errno);
    if (count == 0) break;
    length += static_cast<std::size_t>(count);
  }
  // A file may hold a secret, so the buffer that was too large does not go back as it is.
  FileReading reading =
      FileUnreadable{fmt::format("it is longer than {} bytes", config::kSidecarConfigMaxBytes)};
  if (length <= config::kSidecarConfigMaxBytes) reading = FileText{text.substr(0, length)};
  crypto::Wipe(text);
  return reading;
}

}  // namespace tracekeeper::sidecar
