#pragma once
// The type of a plain YAML scalar, as kubectl reads it (YAML 1.1, the rules of go-yaml v2).
//
// Threads:  a pure function.

#include <cstdint>
#include <string_view>
#include <variant>

namespace tracekeeper::codec {

struct YamlNull {};
struct YamlText {};
/// .inf and .nan: numbers of YAML that JSON cannot carry.
struct YamlNotFinite {};

using YamlScalar = std::variant<YamlNull, bool, std::int64_t, double, YamlText, YamlNotFinite>;

[[nodiscard]] YamlScalar ResolveYamlScalar(std::string_view plain);

}  // namespace tracekeeper::codec
