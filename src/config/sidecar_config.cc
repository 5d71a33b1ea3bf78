#include "src/config/sidecar_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "src/codec/decode.h"
#include "src/codec/encode.h"
#include "src/codec/yaml.h"
#include "src/config/yaml_text.h"

namespace tracekeeper::config {
namespace {

constexpr std::string_view kDigestKey = "digest: ";
constexpr std::string_view kDigestAlgorithm = "sha256:";
constexpr std::size_t kDigestDigits = 64;

/// Read before anything else: the rest of a newer document may mean something else.
struct VersionOnly {
  std::int64_t version = 0;

  static consteval auto Fields() {
    return std::tuple{codec::Field("version", &VersionOnly::version, {.required = true})};
  }
};

/// The first line with its line break when it is a digest line, else nothing.
std::string_view DigestLine(std::string_view text) {
  if (!text.starts_with(kDigestKey)) return {};
  return text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
}

bool IsDigest(std::string_view text) {
  return text.starts_with(kDigestAlgorithm) &&
         text.size() == kDigestAlgorithm.size() + kDigestDigits &&
         text.find_first_not_of("0123456789abcdef", kDigestAlgorithm.size()) ==
             std::string_view::npos;
}

Result<std::string> ReadDigest(std::string_view line) {
  if (line.empty()) return std::string();
  std::string_view value = line.substr(kDigestKey.size());
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.remove_suffix(1);
  if (!IsDigest(value)) {
    return Fail(ErrorKind::kDecode,
                "digest in the first line must be \"sha256:\" and 64 lower-case hexadecimal digits "
                "without quotes; remove the line from a file that is written by hand");
  }
  return std::string(value);
}

Status CheckVersion(std::int64_t version) {
  if (version <= kSidecarConfigVersion) return {};
  return Fail(ErrorKind::kTerminal,
              "version is {}, which is for a newer sidecar: this one reads up to version {}; "
              "restart the pod so that it gets the operator's current sidecar image",
              version, kSidecarConfigVersion);
}

}  // namespace

std::string EncodeSidecarConfig(const SidecarConfig& config) {
  return YamlOfJson(codec::EncodeJson(config));
}

std::string WithDigest(std::string_view digest, std::string_view body) {
  return fmt::format("{}{}\n{}", kDigestKey, digest, body);
}

std::string_view BodyOf(std::string_view text) { return text.substr(DigestLine(text).size()); }

Result<DecodedSidecarConfig> DecodeSidecarConfig(std::string_view text) {
  if (text.size() > kSidecarConfigMaxBytes) {
    return Fail(ErrorKind::kDecode, "the document has {} bytes; at most {} are read", text.size(),
                kSidecarConfigMaxBytes);
  }
  DecodedSidecarConfig decoded;
  decoded.digest = TRY(ReadDigest(DigestLine(text)));

  codec::YamlParser parser;
  const codec::YamlValue document = TRY(parser.Parse(BodyOf(text)));
  if (document.kind() != codec::JsonValue::Kind::kObject) {
    return Fail(ErrorKind::kDecode,
                "the document is empty or no mapping; it begins with \"version: {}\"",
                kSidecarConfigVersion);
  }
  TRY(CheckVersion(TRY(codec::Decode<VersionOnly>(document)).version));
  auto read = TRY(codec::DecodeReportingUnknown<SidecarConfig>(document));
  if (const auto problems = CheckSidecarConfig(read.value); !problems.empty()) {
    return Fail(ErrorKind::kInvalid, "{}", fmt::join(problems, "; "));
  }
  decoded.config = std::move(read.value);
  decoded.unknown_fields = std::move(read.unknown_fields);
  return decoded;
}

}  // namespace tracekeeper::config
