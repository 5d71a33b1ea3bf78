#pragma once
// CredentialMarks is the annotation of a pod template that says which versions of a policy's
// credentials its pods were made for: "backend=7,database=3", by name.
//
// Threads:  pure functions.
// Failure:  what cannot be read counts as no mark.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tracekeeper::domain {

inline constexpr std::string_view kCredentialsAnnotation = "tracekeeper.dev/credentials";

using CredentialMarks = std::map<std::string, std::int64_t, std::less<>>;

[[nodiscard]] CredentialMarks ParseCredentialMarks(std::string_view text);
[[nodiscard]] std::string FormatCredentialMarks(const CredentialMarks& marks);

}  // namespace tracekeeper::domain
