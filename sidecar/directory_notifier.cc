#include "sidecar/directory_notifier.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace tracekeeper::sidecar {
namespace {

// Not IN_MODIFY: a file that someone is still writing is not worth a look.
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM |
                                  IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

DirectoryNotifier::DirectoryNotifier(std::string directory, std::function<void()> on_change)
    : directory_(std::move(directory)),
      on_change_(std::move(on_change)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      wake_(::eventfd(0, EFD_CLOEXEC)) {
  if (inotify_ >= 0 && wake_ >= 0) thread_ = std::thread([this] { Run(); });
}

DirectoryNotifier::~DirectoryNotifier() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    while (::write(wake_, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    thread_.join();
  }
  if (inotify_ >= 0) ::close(inotify_);
  if (wake_ >= 0) ::close(wake_);
}

bool DirectoryNotifier::Arm() {
  if (!thread_.joinable()) return false;
  if (armed()) return true;
  watch_ = ::inotify_add_watch(inotify_, directory_.c_str(), kEvents);
  return armed();
}

void DirectoryNotifier::Run() {
  std::array<pollfd, 2> descriptors = {pollfd{inotify_, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
  while (true) {
    if (::poll(descriptors.data(), descriptors.size(), -1) < 0 && errno != EINTR) return;
    if ((descriptors[1].revents & POLLIN) != 0) return;
    if ((descriptors[0].revents & POLLIN) != 0 && ReadEvents()) on_change_();
  }
}

/// A new link is complete at once, a new file is only when its writer closes it. The kubelet links
/// the keys of a ConfigMap that appears later after it has swapped `..data`.
bool DirectoryNotifier::IsLink(const char* name) const {
  struct stat status = {};
  return ::lstat((directory_ + "/" + name).c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

/// Empties the queue; true when something in it is worth a look at the file.
bool DirectoryNotifier::ReadEvents() {
  std::array<char, 4096> buffer;
  bool changed = false;
  while (true) {
    const ssize_t length = ::read(inotify_, buffer.data(), buffer.size());
    if (length <= 0) return changed;
    for (ssize_t at = 0; at + static_cast<ssize_t>(sizeof(inotify_event)) <= length;) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      // The directory itself is gone or was unmounted: the next poll arms again.
      if ((event.mask & (IN_IGNORED | IN_MOVE_SELF)) != 0 && event.wd == watch_) {
        ::inotify_rm_watch(inotify_, watch_);
        watch_ = -1;
      }
      const char* name = event.len > 0 ? buffer.data() + at + sizeof(event) : "";
      changed = changed || (event.mask & IN_CREATE) == 0 || IsLink(name);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event.len);
    }
  }
}

}  // namespace tracekeeper::sidecar
