#include "tests/support/postgres_server.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>

#include "tests/support/eventually.h"
#include "tests/support/free_port.h"

namespace tracekeeper::test_support {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kUser = "postgres";
constexpr std::chrono::seconds kLimit{60};
constexpr std::chrono::seconds kStopLimit{10};

/// The programs of the newest installed version, or an empty path.
fs::path ProgramFolder() {
  fs::path newest;
  std::error_code error;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", error)) {
    const fs::path programs = version.path() / "bin";
    if (fs::exists(programs / "initdb") && programs > newest) newest = programs;
  }
  return newest;
}

std::optional<passwd> FindUser(std::array<char, 4096>& memory) {
  passwd entry = {};
  passwd* found = nullptr;
  ::getpwnam_r(std::string(kUser).c_str(), &entry, memory.data(), memory.size(), &found);
  if (found == nullptr) return std::nullopt;
  return entry;
}

/// `argv` as the user who may run it, who gets `signal` when the test ends: changing the user
/// takes away the one that a ChildProcess sets.
std::vector<std::string> AsUser(std::vector<std::string> argv, std::string_view signal) {
  if (::geteuid() != 0) return argv;
  const std::string user(kUser);
  std::vector<std::string> command = {"setpriv", "--reuid=" + user, "--regid=" + user,
                                      "--clear-groups"};
  if (!signal.empty()) command.push_back(fmt::format("--pdeathsig={}", signal));
  command.insert(command.end(), argv.begin(), argv.end());
  return command;
}

}  // namespace

std::optional<std::string> PostgresServer::WhyNot() {
  std::array<char, 4096> memory;
  if (ProgramFolder().empty()) return "PostgreSQL is not installed (package postgresql)";
  if (::geteuid() == 0 && !FindUser(memory)) return "there is no user postgres to run it as";
  return std::nullopt;
}

Result<std::unique_ptr<PostgresServer>> PostgresServer::Start() {
  if (const auto reason = WhyNot()) return Fail(ErrorKind::kNotFound, "{}", *reason);
  std::unique_ptr<PostgresServer> server(new PostgresServer());
  server->port_ = FreePort();
  TRY(server->MakeCluster());
  TRY(server->Launch());
  return server;
}

PostgresServer::~PostgresServer() {
  if (!process_) return;
  process_->Signal(SIGQUIT);  // at once, and without leaving shared memory behind
  process_->Wait(kStopLimit);
}

Status PostgresServer::MakeCluster() const {
  const fs::path password_file = folder_ / "password";
  std::ofstream(password_file) << password_ << '\n';
  std::array<char, 4096> memory;
  if (::geteuid() == 0) {
    const auto user = FindUser(memory);
    for (const fs::path& path : {folder_.path(), password_file}) {
      if (::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
        return Fail(ErrorKind::kInternal, "chown {}", path.string());
      }
    }
  }
  const Command command{
      .argv = AsUser({(ProgramFolder() / "initdb").string(), "-D", (folder_ / "data").string(),
                      "-U", std::string(kUser), "-A", "scram-sha-256", "--no-sync",
                      "--pwfile=" + password_file.string()},
                     {}),
      .working_folder = folder_.path()};
  const CommandResult made = TRY(RunProcess(command));
  if (!made.ok()) return Fail(ErrorKind::kInternal, "initdb: {}{}", made.out, made.err);
  return {};
}

Status PostgresServer::Launch() {
  const Command command{
      .argv = AsUser({(ProgramFolder() / "postgres").string(), "-D", (folder_ / "data").string(),
                      "-c", "listen_addresses=127.0.0.1", "-c", fmt::format("port={}", port_), "-c",
                      "unix_socket_directories=" + folder_.path().string(), "-c", "fsync=off"},
                     "QUIT"),
      .working_folder = folder_.path()};
  process_ = TRY(ChildProcess::Start(command, folder_ / "log"));
  const bool answers = Eventually(
      [&] { return !process_->IsRunning() || Query(kUser, password_, "select 1").has_value(); },
      kLimit);
  if (answers && process_->IsRunning()) return {};
  return Fail(ErrorKind::kUnavailable, "PostgreSQL did not start: {}", process_->ReadLog());
}

Result<std::string> PostgresServer::Query(std::string_view user, std::string_view password,
                                          std::string_view sql) const {
  const Command command{
      .argv = {(ProgramFolder() / "psql").string(), "-h", "127.0.0.1", "-p", std::to_string(port_),
               "-U", std::string(user), "-d", "postgres", "-At", "-c", std::string(sql)},
      .environment = {{"PGPASSWORD", std::string(password)}}};
  CommandResult result = TRY(RunProcess(command));
  if (!result.ok()) return Fail(ErrorKind::kForbidden, "psql: {}", result.err);
  while (!result.out.empty() && result.out.back() == '\n') result.out.pop_back();
  return std::move(result.out);
}

}  // namespace tracekeeper::test_support
