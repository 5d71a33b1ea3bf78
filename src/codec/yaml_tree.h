#pragma once
// YamlTree is what YamlParser builds and YamlValue reads: nodes in one array, children as indexes,
// so that an alias shares its anchor's nodes and costs nothing.
//
// Threads:  one at a time while it is built; then read only.
// Owner:    YamlParser.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/codec/json_value.h"

namespace tracekeeper::codec {

struct YamlTree {
  struct Node {
    JsonValue::Kind kind = JsonValue::Kind::kNull;
    bool flag = false;         // kBool
    std::uint32_t line = 0;    // from 1
    std::uint32_t depth = 0;   // nested containers below and with this one
    std::uint32_t begin = 0;   // into children (containers), or into text (strings)
    std::uint32_t count = 0;   // children (a map has keys and values), or bytes
    std::uint64_t weight = 1;  // nodes, with aliases followed
    std::int64_t integer = 0;  // kInteger
    double number = 0;         // kDouble
  };

  std::vector<Node> nodes;
  std::vector<std::uint32_t> children;
  std::string text;
  std::vector<std::uint32_t> roots;  // one a document

  [[nodiscard]] std::string_view TextOf(std::uint32_t node) const {
    return std::string_view(text).substr(nodes[node].begin, nodes[node].count);
  }
};

}  // namespace tracekeeper::codec
