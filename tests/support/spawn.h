#pragma once
// Spawn starts a program with the files it is given: what process.h and bed.h share.
//
// Threads:  any.
// Owner:    the caller owns the process (waits for it) and the files it passed, which stay open.
// Failure:  an Error that names the program when it cannot be executed.

#include <sys/types.h>

#include <utility>

#include "src/base/result.h"
#include "tests/support/process.h"

namespace tracekeeper::test_support {

/// A file descriptor that closes itself.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
  FileHandle(FileHandle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileHandle() { Close(); }

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  void Close();

 private:
  int descriptor_ = -1;
};

struct Pipe {
  FileHandle read_end;
  FileHandle write_end;

  /// Both ends are closed in programs that are started later.
  static Result<Pipe> Open();
};

enum class WhenParentEnds {
  kKill,      // SIGKILL from the kernel when the starting thread ends
  kOutliveIt  // in a session of its own; the program watches for itself
};

struct SpawnFiles {
  int in = -1;  // -1: /dev/null
  int out = -1;
  int err = -1;
};

Result<pid_t> Spawn(const Command& command, const SpawnFiles& files, WhenParentEnds when);

/// 128 + signal for a signal, as a shell has it. `status` is waitpid's.
int ExitCodeOf(int status);

}  // namespace tracekeeper::test_support
