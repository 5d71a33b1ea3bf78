#include "operator/domain/image_reference.h"

#include <algorithm>

namespace tracekeeper::domain {
namespace {

constexpr std::size_t kMaxTag = 128;
constexpr std::size_t kMinDigestHex = 32;

bool IsWord(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool IsTag(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTag && IsWord(text.front()) &&
         std::ranges::all_of(text, [](char c) { return IsWord(c) || c == '.' || c == '-'; });
}

bool IsHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool IsDigest(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view hex = text.substr(colon + 1);
  return hex.size() >= kMinDigestHex && std::ranges::all_of(hex, IsHex);
}

}  // namespace

ImageReference ParseImageReference(std::string_view image) {
  ImageReference reference;
  const std::size_t at = image.find('@');
  if (at != std::string_view::npos) {
    reference.digest = image.substr(at + 1);
    if (!IsDigest(reference.digest)) return {};
    image = image.substr(0, at);
  }
  const std::size_t colon = image.rfind(':');
  const bool is_port =
      colon != std::string_view::npos && image.find('/', colon) != std::string_view::npos;
  if (colon == std::string_view::npos || is_port || colon == 0) return reference;
  reference.tag = image.substr(colon + 1);
  if (!IsTag(reference.tag)) return {};
  return reference;
}

std::string VersionOf(const ImageReference& image) {
  if (image.digest.empty()) return std::string(image.tag);
  if (image.tag.empty()) return std::string(image.digest);
  std::string version(image.tag);
  return version.append("@").append(image.digest);
}

}  // namespace tracekeeper::domain
