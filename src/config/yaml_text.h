#pragma once
// YamlOfJson lays JSON out as block YAML, for people who read a ConfigMap: one member a line,
// strings quoted as JSON quotes them (which YAML reads alike), the order kept.
//
// Threads:  pure.
// Input:    JSON that JsonWriter made. It is not checked: foreign text goes through a parser.

#include <string>
#include <string_view>

namespace tracekeeper::config {

[[nodiscard]] std::string YamlOfJson(std::string_view json);

}  // namespace tracekeeper::config
