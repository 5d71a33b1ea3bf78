#pragma once
// Documents are what a user hands to a command: files or standard input, YAML or JSON.
//
// Threads:  the main thread.
// Failure:  kInvalid or kDecode; the sentence begins with the file's name.
// Limits:   kMaxDocumentBytes a file.

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include "operator/api/tracing_policy.h"
#include "src/base/result.h"
#include "src/kube/document.h"

namespace tracekeeper::cli {

inline constexpr std::size_t kMaxDocumentBytes = 8U << 20U;

/// The text of `file`; "-" is `standard_input`.
Result<std::string> ReadText(const std::string& file, std::istream& standard_input);

/// Every object in `text` (YAML with --- between them, JSON, or a v1 List) as a document.
Result<std::vector<kube::Document>> ReadObjects(const std::string& file, const std::string& text);

/// The pod in `object`: kind Pod, or no kind but a spec.
Status RequirePod(codec::JsonValue object);

/// The one TracingPolicy in `file`. Without a namespace of its own it gets `namespace_name`.
Result<api::TracingPolicy> ReadPolicy(const std::string& file, const std::string& namespace_name,
                                      std::istream& standard_input);

}  // namespace tracekeeper::cli
