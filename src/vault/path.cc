#include "src/vault/path.h"

#include <fmt/format.h>

#include "src/codec/json_check.h"
#include "src/net/http.h"

namespace tracekeeper::vault {
namespace {

constexpr std::size_t kLongestQuoted = 80;

tl::unexpected<Error> Refused(std::string_view path, std::string_view why) {
  std::string quoted;
  for (const char c : path.substr(0, kLongestQuoted)) quoted += c < ' ' || c > '~' ? '?' : c;
  return Fail(ErrorKind::kInvalid, "Vault path \"{}\": {}", quoted, why);
}

Status CheckBytes(std::string_view path) {
  for (std::size_t at = 0; at < path.size();) {
    const auto byte = static_cast<unsigned char>(path[at]);
    if (byte < 0x20 || byte == 0x7f) return Refused(path, "holds a control character");
    const std::size_t length = codec::Utf8SequenceLength(path, at);
    if (length == 0) return Refused(path, "is not UTF-8");
    at += length;
  }
  return {};
}

}  // namespace

Status CheckPath(std::string_view path) {
  if (path.empty()) return Refused(path, "is empty; name a path");
  if (path.size() > kLongestPath) return Refused(path, "is longer than 512 bytes");
  TRY(CheckBytes(path));
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty()) return Refused(path, "has an empty part; write it without a slash too many");
    if (part == "." || part == "..") return Refused(path, "has a part that leaves its mount");
    begin = end + 1;
  }
  return {};
}

Status CheckName(std::string_view name) {
  TRY(CheckPath(name));
  if (name.find('/') != std::string_view::npos) return Refused(name, "is a name: without slashes");
  return {};
}

Result<std::string> EncodePath(std::string_view path) {
  TRY(CheckPath(path));
  std::string encoded;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (begin > 0) encoded += '/';
    encoded += net::PercentEncode(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return encoded;
}

Result<std::string> JoinPath(std::string_view mount, std::string_view middle,
                             std::string_view path) {
  return fmt::format("{}/{}/{}", TRY(EncodePath(mount)), TRY(EncodePath(middle)),
                     TRY(EncodePath(path)));
}

}  // namespace tracekeeper::vault
