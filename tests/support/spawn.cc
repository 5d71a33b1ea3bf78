#include "tests/support/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

namespace tracekeeper::test_support {
namespace {

// Everything the child needs is made before fork(): after it only async-signal-safe calls are
// allowed, because the test may have threads.
struct Prepared {
  std::vector<std::string> environment;
  std::vector<char*> argv;
  std::vector<char*> envp;
};

Prepared Prepare(const Command& command) {
  Prepared prepared;
  std::map<std::string, std::string, std::less<>> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      merged[std::string(text.substr(0, equals))] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : command.environment) merged[name] = value;
  for (const auto& [name, value] : merged)
    prepared.environment.push_back(fmt::format("{}={}", name, value));
  for (auto& entry : prepared.environment) prepared.envp.push_back(entry.data());
  prepared.envp.push_back(nullptr);
  for (const auto& argument : command.argv)
    prepared.argv.push_back(const_cast<char*>(argument.c_str()));
  prepared.argv.push_back(nullptr);
  return prepared;
}

[[noreturn]] void ReportAndExit(int report) {
  const int error = errno;
  [[maybe_unused]] const auto written = write(report, &error, sizeof error);
  _exit(127);
}

[[noreturn]] void BecomeProgram(const Command& command, const Prepared& prepared,
                                const SpawnFiles& files, WhenParentEnds when, pid_t parent,
                                int report) {
  if (when == WhenParentEnds::kKill) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // it ended before the kernel knew of our wish
  } else if (setsid() < 0) {
    ReportAndExit(report);
  }
  const int null = open("/dev/null", O_RDWR);
  const int wanted[] = {files.in, files.out, files.err};
  for (int target = 0; target < 3; ++target) {
    if (dup2(wanted[target] >= 0 ? wanted[target] : null, target) < 0) ReportAndExit(report);
  }
  if (null > 2) close(null);
  if (!command.working_folder.empty() && chdir(command.working_folder.c_str()) != 0)
    ReportAndExit(report);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  execvpe(prepared.argv[0], prepared.argv.data(), prepared.envp.data());
  ReportAndExit(report);
}

}  // namespace

void FileHandle::Close() {
  if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
}

Result<Pipe> Pipe::Open() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return Fail(ErrorKind::kInternal, "open a pipe: {}", std::strerror(errno));
  return Pipe{FileHandle(ends[0]), FileHandle(ends[1])};
}

Result<pid_t> Spawn(const Command& command, const SpawnFiles& files, WhenParentEnds when) {
  if (command.argv.empty()) return Fail(ErrorKind::kInternal, "start a program: no program named");
  const Prepared prepared = Prepare(command);
  Pipe report = TRY(Pipe::Open());
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return Fail(ErrorKind::kInternal, "fork: {}", std::strerror(errno));
  if (child == 0) BecomeProgram(command, prepared, files, when, parent, report.write_end.get());
  report.write_end.Close();
  int error = 0;
  if (read(report.read_end.get(), &error, sizeof error) == sizeof error) {
    waitpid(child, nullptr, 0);
    return Fail(ErrorKind::kNotFound, "start {}: {}", command.argv[0], std::strerror(error));
  }
  return child;
}

int ExitCodeOf(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace tracekeeper::test_support
