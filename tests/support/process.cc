#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/support/spawn.h"

namespace tracekeeper::test_support {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPollInterval{10};

// Moves what is ready between the pipes and the strings; a finished side is closed.
class Exchange {
 public:
  Exchange(FileHandle in, std::string_view input, FileHandle out, FileHandle err)
      : in_(std::move(in)), input_(input), out_(std::move(out)), err_(std::move(err)) {
    fcntl(in_.get(), F_SETFL, O_NONBLOCK);
    if (input_.empty()) in_.Close();
  }

  [[nodiscard]] bool IsOver() const { return !out_.is_open() && !err_.is_open(); }

  void Step(CommandResult& result, int wait_milliseconds) {
    std::array<pollfd, 3> files = {pollfd{in_.get(), POLLOUT, 0}, pollfd{out_.get(), POLLIN, 0},
                                   pollfd{err_.get(), POLLIN, 0}};
    if (poll(files.data(), files.size(), wait_milliseconds) <= 0) return;
    if (files[0].revents != 0) WriteInput();
    if (files[1].revents != 0) ReadInto(out_, result.out);
    if (files[2].revents != 0) ReadInto(err_, result.err);
  }

 private:
  void WriteInput() {
    const auto written = write(in_.get(), input_.data(), input_.size());
    if (written > 0) input_.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 ? errno != EAGAIN : input_.empty()) in_.Close();
  }

  static void ReadInto(FileHandle& file, std::string& text) {
    std::array<char, 16384> buffer;
    const auto got = read(file.get(), buffer.data(), buffer.size());
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || errno != EINTR) {
      file.Close();
    }
  }

  FileHandle in_;
  std::string_view input_;
  FileHandle out_;
  FileHandle err_;
};

// A program that closes its input early must not end the test.
void IgnoreBrokenPipes() { signal(SIGPIPE, SIG_IGN); }

}  // namespace

Result<CommandResult> RunProcess(const Command& command, std::string_view input,
                                 std::chrono::seconds limit) {
  IgnoreBrokenPipes();
  Pipe in = TRY(Pipe::Open());
  Pipe out = TRY(Pipe::Open());
  Pipe err = TRY(Pipe::Open());
  const pid_t id = TRY(Spawn(command, {in.read_end.get(), out.write_end.get(), err.write_end.get()},
                             WhenParentEnds::kKill));
  in.read_end.Close();
  out.write_end.Close();
  err.write_end.Close();

  Exchange exchange(std::move(in.write_end), input, std::move(out.read_end),
                    std::move(err.read_end));
  CommandResult result;
  const auto deadline = SteadyClock::now() + limit;
  while (!exchange.IsOver() && SteadyClock::now() < deadline) exchange.Step(result, 100);

  // A program may close its output and go on, so its end has the same deadline.
  int status = 0;
  while (waitpid(id, &status, WNOHANG) == 0) {
    if (SteadyClock::now() >= deadline) {
      kill(id, SIGKILL);
      waitpid(id, &status, 0);
      return Fail(ErrorKind::kTimeout, "{} did not end within {} s; it wrote: {}{}",
                  command.argv[0], limit.count(), result.out, result.err);
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  result.exit_code = ExitCodeOf(status);
  return result;
}

Result<ChildProcess> ChildProcess::Start(const Command& command, const std::filesystem::path& log) {
  FileHandle file(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file.is_open())
    return Fail(ErrorKind::kInternal, "open {}: {}", log.string(), std::strerror(errno));
  const pid_t id = TRY(Spawn(command, {-1, file.get(), file.get()}, WhenParentEnds::kKill));
  return ChildProcess(id, log);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : id_(std::exchange(other.id_, -1)),
      log_(std::move(other.log_)),
      exit_code_(std::exchange(other.exit_code_, std::nullopt)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(log_, other.log_);
  std::swap(exit_code_, other.exit_code_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (id_ > 0 && IsRunning()) Terminate(std::chrono::milliseconds(0));
}

bool ChildProcess::IsRunning() { return !Wait(std::chrono::milliseconds(0)).has_value(); }

void ChildProcess::Signal(int signal) const {
  if (id_ > 0 && !exit_code_) kill(id_, signal);
}

std::optional<int> ChildProcess::Wait(std::chrono::milliseconds limit) {
  const auto deadline = SteadyClock::now() + limit;
  while (!exit_code_) {
    int status = 0;
    if (waitpid(id_, &status, WNOHANG) == id_) {
      exit_code_ = ExitCodeOf(status);
    } else if (SteadyClock::now() >= deadline) {
      return std::nullopt;
    } else {
      std::this_thread::sleep_for(kPollInterval);
    }
  }
  return exit_code_;
}

int ChildProcess::Terminate(std::chrono::milliseconds grace) {
  if (grace.count() > 0) {
    Signal(SIGTERM);
    if (const auto code = Wait(grace)) return *code;
  }
  Signal(SIGKILL);
  return Wait(std::chrono::seconds(30)).value_or(128 + SIGKILL);
}

std::string ChildProcess::ReadLog() const {
  std::ostringstream text;
  text << std::ifstream(log_).rdbuf();
  return std::move(text).str();
}

bool ChildProcess::WaitForLog(std::string_view text, std::chrono::milliseconds limit) {
  const auto deadline = SteadyClock::now() + limit;
  while (SteadyClock::now() < deadline) {
    const bool running = IsRunning();  // before the read: nothing is written after the end
    if (ReadLog().find(text) != std::string::npos) return true;
    if (!running) return false;
    std::this_thread::sleep_for(kPollInterval);
  }
  return false;
}

}  // namespace tracekeeper::test_support
