#include "sidecar/mounted_credential.h"

#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>

#include "src/crypto/secret_string.h"

namespace tracekeeper::sidecar {
namespace fs = std::filesystem;
namespace {

constexpr int kMostTries = 3;
constexpr std::size_t kMostDigits = 19;

/// Where `..data` leads; empty where there is none, or the path does not lead through it.
fs::path DataFolder(const fs::path& path) {
  std::error_code error;
  const fs::path folder = path.parent_path();
  const fs::path target = fs::read_symlink(folder / "..data", error);
  if (error || target.empty()) return {};
  return folder / target;
}

std::optional<std::int64_t> ReadNumber(const fs::path& path) {
  const FileReading reading = ReadConfigFile(path.string());
  const auto* text = std::get_if<FileText>(&reading);
  return text == nullptr ? std::nullopt : NumberIn(text->text);
}

MountedCredential ReadFrom(const fs::path& folder, const fs::path& path) {
  MountedCredential credential;
  const std::string file = (folder / path.filename()).string();
  credential.stamp = StampOf(file);
  if (!credential.stamp) return credential;
  credential.version = VersionOf(path.string(), *credential.stamp);
  credential.number = ReadNumber(folder / kNumberFile);
  credential.value = ReadConfigFile(file);
  return credential;
}

}  // namespace

MountedCredential ReadMountedCredential(const std::string& path) {
  for (int i = 0; i < kMostTries; ++i) {
    const fs::path data = DataFolder(path);
    std::error_code error;
    const bool is_in_data = !data.empty() && fs::exists(data / fs::path(path).filename(), error);
    MountedCredential credential = ReadFrom(is_in_data ? data : fs::path(path).parent_path(), path);
    if (DataFolder(path) == data) return credential;
    if (auto* text = std::get_if<FileText>(&credential.value)) crypto::Wipe(text->text);
  }
  return {};
}

std::optional<std::int64_t> NumberIn(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (text.empty() || text.size() > kMostDigits || text.front() < '0' || text.front() > '9') {
    return std::nullopt;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

}  // namespace tracekeeper::sidecar
