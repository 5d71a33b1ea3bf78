#pragma once
// AdmissionReview v1 on the wire: what the API server asks and what it is answered. Pure: bytes in,
// values out, and back.
//
// Threads:  no state; a request's views live as long as the document it was read from.
// Failure:  kDecode or kInvalid with a sentence the caller sends back as HTTP 400.
// Source:   Kubernetes API, admission.k8s.io/v1 (AdmissionReview, AdmissionResponse).

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/codec/json_value.h"

namespace tracekeeper::webhook {

struct AdmissionRequest {
  std::string_view api_version;  // echoed: "admission.k8s.io/v1"
  std::string_view uid;
  std::string_view operation;  // CREATE, UPDATE, DELETE, CONNECT
  std::string_view namespace_name;
  std::string_view name;  // empty while the server has yet to generate it
  std::string_view resource;
  std::string_view subresource;
  bool dry_run = false;
  codec::JsonValue object;
};

struct AdmissionResponse {
  bool allowed = true;
  /// JSON Patch (RFC 6902) as text; empty means that the object stays as it is.
  std::string patch;
  /// Shown to whoever made the request. The API server cuts long ones, so they are kept short.
  std::vector<std::string> warnings;
  /// For allowed = false: why, for a person.
  std::string message;
};

/// Reads the request half of an AdmissionReview. `review` must outlive the result.
Result<AdmissionRequest> ReadAdmissionReview(const codec::JsonValue& review);

/// The AdmissionReview that answers `request`: same uid, same apiVersion.
std::string WriteAdmissionReview(const AdmissionRequest& request,
                                 const AdmissionResponse& response);

/// Longest warning that is sent; the API server cuts at 256 bytes per warning and 4 KiB in all.
inline constexpr std::size_t kMaxWarningBytes = 250;
inline constexpr std::size_t kMaxWarnings = 15;

}  // namespace tracekeeper::webhook
