#include "tests/src/codec/random_json.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "src/codec/json_writer.h"

namespace tracekeeper::codec {
namespace {

std::uint64_t Bits(std::mt19937& random) { return std::uint64_t{random()} << 32U | random(); }

std::string RandomText(std::mt19937& random) {
  constexpr std::array<std::string_view, 34> kPieces = {
      "a",  "Z",    "0", " ",    "  ",   "\n", "\n\n", "\t", "\"", "\\", "/", "'",
      ":",  ": ",   "#", " #",   "-",    "- ", "?",    "[",  "{",  "}",  ",", "&",
      "*x", "true", "~", "\x01", "\x7f", "é",  "漢",   "😀", "%",  "\r"};
  std::string text;
  const std::size_t pieces = random() % 6;
  for (std::size_t i = 0; i < pieces; ++i) text += kPieces[random() % kPieces.size()];
  constexpr std::array<std::string_view, 16> kLookAlike = {
      "null",       "yes", "off", "1",  "-0", "0x1f",  "1e3",  ".5",
      "2001-01-01", "...", "---", "<<", "=",  "1_000", ".inf", "y"};
  if (random() % 5 == 0) text = kLookAlike[random() % kLookAlike.size()];
  if (random() % 20 == 0) text = "a sentence of many words " + std::string(90, 'w') + " and an end";
  return text;
}

void AppendNumber(std::mt19937& random, JsonWriter& json) {
  constexpr std::array<double, 6> kEdges = {0.25, -0.5, 1e300, 5e-324, 1e21, 0.1};
  switch (random() % 4) {
    case 0:
      json.Integer(static_cast<std::int64_t>(Bits(random)));
      return;
    case 1:
      json.Integer(static_cast<std::int64_t>(random() % 100) - 50);
      return;
    case 2:
      json.Double(kEdges[random() % kEdges.size()]);
      return;
    default: {
      const auto value = std::bit_cast<double>(Bits(random));
      // 2.0 would come back from YAML as the integer 2, as it does from kubectl.
      json.Double(std::isfinite(value) && std::trunc(value) != value ? value : 1.5);
      return;
    }
  }
}

void AppendValue(std::mt19937& random, int depth, JsonWriter& json) {
  switch (random() % (depth > 0 ? 7 : 5)) {
    case 0:
      json.Null();
      return;
    case 1:
      json.Bool(random() % 2 == 0);
      return;
    case 2:
      AppendNumber(random, json);
      return;
    case 3:
    case 4:
      json.String(RandomText(random));
      return;
    case 5:
      json.BeginArray();
      for (std::size_t i = random() % 5; i > 0; --i) AppendValue(random, depth - 1, json);
      json.EndArray();
      return;
    default:
      json.BeginObject();
      for (std::size_t i = random() % 5; i > 0; --i) {
        json.Key(RandomText(random) + static_cast<char>('a' + i));
        AppendValue(random, depth - 1, json);
      }
      json.EndObject();
      return;
  }
}

}  // namespace

std::string RandomJson(std::mt19937& random) {
  JsonWriter json;
  AppendValue(random, 4, json);
  return json.Take();
}

}  // namespace tracekeeper::codec
