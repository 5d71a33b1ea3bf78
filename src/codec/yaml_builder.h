#pragma once
// BuildYamlTree runs yaml-cpp over a text and fills a YamlTree.
//
// Threads:  one tree, one thread.
// Failure:  kDecode with the line; the tree is then of no use.

#include <string_view>

#include "src/base/result.h"
#include "src/codec/yaml_tree.h"

namespace tracekeeper::codec {

Status BuildYamlTree(std::string_view text, YamlTree& tree);

}  // namespace tracekeeper::codec
