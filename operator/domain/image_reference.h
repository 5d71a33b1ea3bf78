#pragma once
// The tag and digest of an image reference, for service.version.
//
//   registry.example.com:5000/shop/cart:1.4@sha256:0123...   tag 1.4, digest sha256:0123...
//
// Threads:  pure.
// Failure:  what is no reference has neither tag nor digest.
// Source:   github.com/distribution/reference: grammar of reference, tag and digest.

#include <string>
#include <string_view>

namespace tracekeeper::domain {

struct ImageReference {
  std::string_view tag;
  std::string_view digest;

  bool operator==(const ImageReference&) const = default;
};

ImageReference ParseImageReference(std::string_view image);

/// "<tag>@<digest>", else the digest, else the tag, else nothing: the order of OpenTelemetry's
/// semantic conventions.
std::string VersionOf(const ImageReference& image);

}  // namespace tracekeeper::domain
