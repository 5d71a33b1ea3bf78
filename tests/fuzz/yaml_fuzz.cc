// YAML text: what is taken becomes JSON, and that, laid out as YAML again, reads back as the same.
//
// DEPENDS: tracekeeper::codec

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/codec/json_value.h"
#include "src/codec/yaml.h"
#include "src/codec/yaml_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace codec = tracekeeper::codec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static codec::YamlParser parser;
  static codec::YamlParser second_parser;
  static codec::JsonParser json_parser;
  const auto documents = parser.ParseAll(text);
  if (!documents) return 0;
  for (const codec::YamlValue& document : *documents) {
    const std::string json = document.ToJson();
    const auto value = json_parser.Parse(json);
    if (!value) std::abort();
    const auto again = second_parser.Parse(codec::WriteYaml(*value));
    if (!again || again->ToJson() != json) std::abort();
  }
  return 0;
}
