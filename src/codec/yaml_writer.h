#pragma once
// WriteYaml lays a JSON value out as block YAML for people and for diffs: two spaces, lists in line
// with their key, text plain where YAML reads it back as the same text, long sentences folded.
//
// Threads:  a pure function.
// Law:      YamlParser reads the same value back.

#include <string>

#include "src/codec/json_value.h"

namespace tracekeeper::codec {

[[nodiscard]] std::string WriteYaml(const JsonValue& value);

}  // namespace tracekeeper::codec
