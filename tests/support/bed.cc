#include "tests/support/bed.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "tests/support/folders.h"
#include "tests/support/spawn.h"

namespace tracekeeper::test_support {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kStartLimit{180};
constexpr std::chrono::seconds kEndLimit{30};

fs::path BedTool() { return SourceFolder() / "tools/bed/bed"; }

std::string_view NameOf(BedPart part) {
  switch (part) {
    case BedPart::kEtcd:
      return "etcd";
    case BedPart::kApiServer:
      return "kube-apiserver";
    case BedPart::kControllerManager:
      return "kube-controller-manager";
    case BedPart::kScheduler:
      return "kube-scheduler";
    case BedPart::kContainerd:
      return "containerd";
    case BedPart::kKubelet:
      return "kubelet";
    case BedPart::kKubeProxy:
      return "kube-proxy";
  }
  return "";
}

Result<fs::path> MakeFolder() {
  std::string pattern = (fs::temp_directory_path() / "tracekeeper-bed-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    return Fail(ErrorKind::kInternal, "make the folder {}", pattern);
  return fs::path(pattern);
}

// name=value lines that the bed tool leaves for programs that use the bed.
std::multimap<std::string, std::string> ReadState(const fs::path& file) {
  std::multimap<std::string, std::string> state;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto equals = line.find('=');
    if (equals != std::string::npos) state.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return state;
}

std::string First(const std::multimap<std::string, std::string>& state, const std::string& name) {
  const auto found = state.find(name);
  return found == state.end() ? "" : found->second;
}

std::int64_t ToNumber(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<std::string> StartArguments(const BedOptions& options, const fs::path& folder) {
  std::vector<std::string> argv = {BedTool().string(), "serve",   "--dir",
                                   folder.string(),    "--nodes", std::to_string(options.nodes)};
  if (options.controllers) argv.emplace_back("--controllers");
  for (const auto& image : options.images) {
    argv.emplace_back("--image");
    argv.push_back(fs::absolute(image).string());
  }
  for (const auto& flag : options.api_server_flags) argv.push_back("--api-server-flag=" + flag);
  return argv;
}

std::string LastLines(const fs::path& file, std::size_t count) {
  std::ifstream in(file);
  std::deque<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(std::move(line));
    if (lines.size() > count) lines.pop_front();
  }
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

// In a test, or in TearDownTestSuite() of the suite that shared the bed.
bool CurrentTestFailed() {
  const auto* state = testing::UnitTest::GetInstance();
  if (const auto* test = state->current_test_info()) return test->result()->Failed();
  const auto* suite = state->current_test_suite();
  return suite != nullptr && suite->Failed();
}

}  // namespace

// The bed tool's process that holds the bed. It lives as long as the write end of its standard
// input is open: that end closes when this object goes, and when the kernel ends the test.
class Bed::Keeper {
 public:
  static Result<std::unique_ptr<Keeper>> Start(const std::vector<std::string>& argv) {
    Pipe lifeline = TRY(Pipe::Open());
    Pipe answer = TRY(Pipe::Open());
    const pid_t id =
        TRY(Spawn({.argv = argv}, {lifeline.read_end.get(), answer.write_end.get(), STDERR_FILENO},
                  WhenParentEnds::kOutliveIt));
    auto keeper = std::make_unique<Keeper>(id, std::move(lifeline.write_end));
    answer.write_end.Close();
    TRY(AwaitReady(answer.read_end.get()));
    return keeper;
  }

  Keeper(pid_t id, FileHandle lifeline) : id_(id), lifeline_(std::move(lifeline)) {}
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  ~Keeper() {
    lifeline_.Close();
    const auto deadline = SteadyClock::now() + kEndLimit;
    while (waitpid(id_, nullptr, WNOHANG) == 0) {
      if (SteadyClock::now() >= deadline) kill(id_, SIGKILL);  // its servers die with it
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

 private:
  // "ready" on a line of its own, or the reason and the end of the stream.
  static Status AwaitReady(int answer) {
    std::string text;
    const auto deadline = SteadyClock::now() + kStartLimit;
    while (SteadyClock::now() < deadline) {
      pollfd file{answer, POLLIN, 0};
      if (poll(&file, 1, 100) <= 0) continue;
      std::array<char, 4096> buffer;
      const auto got = read(answer, buffer.data(), buffer.size());
      if (got <= 0) return Fail(ErrorKind::kUnavailable, "start the test cluster: {}", text);
      text.append(buffer.data(), static_cast<std::size_t>(got));
      if (text.ends_with("ready\n")) return {};
    }
    return Fail(ErrorKind::kTimeout, "start the test cluster: not ready within {} s; {}",
                kStartLimit.count(), text);
  }

  pid_t id_;
  FileHandle lifeline_;
};

std::optional<std::string> Bed::WhyNot(const BedOptions& options) {
  const auto answer =
      RunProcess({.argv = {BedTool().string(), "check", "--nodes", std::to_string(options.nodes)}});
  if (!answer) return answer.error().message;
  if (answer->ok()) return std::nullopt;
  return answer->err.substr(0, answer->err.find('\n'));
}

Result<std::unique_ptr<Bed>> Bed::Start(const BedOptions& options) {
  const fs::path folder = TRY(MakeFolder());
  auto keeper = Keeper::Start(StartArguments(options, folder));
  if (!keeper) {
    std::error_code ignored;  // most failures have removed it already
    fs::remove_all(folder, ignored);
    return Fail(std::move(keeper).error());
  }
  return std::unique_ptr<Bed>(new Bed(folder, *std::move(keeper)));
}

Bed::Bed(fs::path folder, std::unique_ptr<Keeper> keeper)
    : folder_(std::move(folder)), keeper_(std::move(keeper)) {
  const auto state = ReadState(folder_ / "state");
  kube_ = First(state, "kube");
  server_url_ = First(state, "server_url");
  namespace_process_ = ToNumber(First(state, "namespace_process"));
  const auto [begin, end] = state.equal_range("node");
  for (auto entry = begin; entry != end; ++entry) {
    const auto space = entry->second.find(' ');
    nodes_.push_back({entry->second.substr(0, space), entry->second.substr(space + 1)});
  }
}

Bed::~Bed() {
  if (CurrentTestFailed()) std::fputs(LogTails().c_str(), stderr);
}

fs::path Bed::ca_file() const { return folder_ / "pki/ca.crt"; }
fs::path Bed::admin_kubeconfig() const { return folder_ / "admin.kubeconfig"; }
fs::path Bed::unprivileged_kubeconfig() const { return folder_ / "tester.kubeconfig"; }

Result<std::string> Bed::Control(std::vector<std::string> arguments, std::chrono::seconds limit) {
  std::vector<std::string> argv = {BedTool().string(), arguments.front(), "--dir",
                                   folder_.string()};
  argv.insert(argv.end(), arguments.begin() + 1, arguments.end());
  CommandResult result = TRY(RunProcess({.argv = std::move(argv)}, {}, limit));
  if (!result.ok()) return Fail(ErrorKind::kUnavailable, "{}: {}", arguments.front(), result.err);
  return std::move(result.out);
}

Result<fs::path> Bed::ServiceAccountKubeconfig(std::string_view name_space, std::string_view name,
                                               std::chrono::seconds lifetime) {
  std::string path = TRY(Control({"service-account", "--lifetime", std::to_string(lifetime.count()),
                                  std::string(name_space), std::string(name)}));
  while (path.ends_with('\n')) path.pop_back();
  return fs::path(path);
}

CommandResult Bed::RunKubectl(const std::vector<std::string>& arguments, std::string_view input) {
  return RunKubectlAs(admin_kubeconfig(), arguments, input);
}

CommandResult Bed::RunKubectlAs(const fs::path& kubeconfig,
                                const std::vector<std::string>& arguments, std::string_view input) {
  Command command{.argv = {kube_.string(), "kubectl", "--kubeconfig", kubeconfig.string(),
                           "--cache-dir", (folder_ / "kubectl-cache").string()}};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  auto result = RunProcess(command, input, std::chrono::seconds(120));
  if (!result) return {.exit_code = 127, .out = {}, .err = result.error().message};
  return *std::move(result);
}

Status Bed::WaitForKubectl(const std::vector<std::string>& arguments, std::string_view text,
                           std::chrono::seconds limit) {
  const auto deadline = SteadyClock::now() + limit;
  while (true) {
    const CommandResult last = RunKubectl(arguments);
    if (last.ok() && last.out.find(text) != std::string::npos) return {};
    if (SteadyClock::now() >= deadline) {
      std::string words;
      for (const auto& argument : arguments) words += " " + argument;
      return Fail(ErrorKind::kTimeout, "kubectl{} did not show \"{}\" within {} s; last: {}{}",
                  words, text, limit.count(), last.out, last.err);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

Status Bed::Kill(BedPart part) {
  return Control({"kill", std::string(NameOf(part))}).map([](auto&&) {});
}
Status Bed::StartPart(BedPart part) {
  return Control({"start", std::string(NameOf(part))}).map([](auto&&) {});
}
Status Bed::Pause(BedPart part) {
  return Control({"pause", std::string(NameOf(part))}).map([](auto&&) {});
}
Status Bed::Resume(BedPart part) {
  return Control({"resume", std::string(NameOf(part))}).map([](auto&&) {});
}
Status Bed::Restart(BedPart part) {
  TRY(Kill(part));
  return StartPart(part);
}

Status Bed::PowerOff(std::string_view node) {
  return Control({"kill", std::string(node)}).map([](auto&&) {});
}
Status Bed::PowerOn(std::string_view node) {
  return Control({"start", std::string(node)}, std::chrono::seconds(120)).map([](auto&&) {});
}
Status Bed::Unplug(std::string_view node) {
  return Control({"unplug", std::string(node)}).map([](auto&&) {});
}
Status Bed::Plug(std::string_view node) {
  return Control({"plug", std::string(node)}).map([](auto&&) {});
}

Result<std::int64_t> Bed::Compact() { return ToNumber(TRY(Control({"compact"}))); }

Status Bed::LoadImage(const fs::path& archive) {
  return Control({"load", fs::absolute(archive).string()}).map([](auto&&) {});
}

std::vector<std::string> Bed::EnterCommand(std::vector<std::string> argv) const {
  std::vector<std::string> entered;
  if (namespace_process_ != 0) {
    // Each of these replaces itself, so signals, exit code and process id are the program's own.
    entered = {"nsenter", fmt::format("--net=/proc/{}/ns/net", namespace_process_), "--"};
  }
  entered.insert(entered.end(), {"env", "KUBECONFIG=" + admin_kubeconfig().string()});
  entered.insert(entered.end(), argv.begin(), argv.end());
  return entered;
}

Result<CommandResult> Bed::Enter(const std::vector<std::string>& argv, std::string_view input,
                                 std::chrono::seconds limit) {
  return RunProcess({.argv = EnterCommand(argv)}, input, limit);
}

std::string Bed::LogTails(std::size_t lines_each) const {
  std::string text;
  std::error_code ignored;  // a folder that is gone has no tails
  for (const auto& entry : fs::recursive_directory_iterator(log_folder(), ignored)) {
    if (!entry.is_regular_file()) continue;
    text += fmt::format("--- last lines of {}\n{}", entry.path().string(),
                        LastLines(entry.path(), lines_each));
  }
  return text;
}

std::unique_ptr<Bed> StartBed(const BedOptions& options) {
  auto bed = Bed::Start(options);
  if (!bed) ADD_FAILURE() << bed.error().message;
  return bed ? *std::move(bed) : nullptr;
}

}  // namespace tracekeeper::test_support
