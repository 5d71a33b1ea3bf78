#include "tests/operator/api/object_table.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "src/codec/json_writer.h"
#include "src/codec/yaml.h"
#include "tests/support/folders.h"

namespace tracekeeper::api {
namespace {

constexpr std::string_view kPlaceholder = "\"REPEATED\"";

// What the placeholder of a row stands for, as JSON.
std::string Repeated(const codec::YamlValue& repeat) {
  codec::JsonWriter json;
  if (const auto characters = repeat["characters"].Integer()) {
    json.String(std::string(static_cast<std::size_t>(*characters), 'A'));
    return json.Take();
  }
  json.BeginObject();
  for (std::int64_t i = 0; i < repeat["members"].Integer().value_or(0); ++i) {
    json.Member(fmt::format("k{}", i), "v");
  }
  json.EndObject();
  return json.Take();
}

std::string ObjectNameOf(const codec::YamlValue& row) {
  return std::string(row["metadata"]["name"].StringOr(row["name"].StringOr("")));
}

std::string DocumentOf(std::string_view kind, const codec::YamlValue& row) {
  codec::JsonWriter json;
  json.BeginObject().Member("apiVersion", "tracekeeper.dev/v1alpha1").Member("kind", kind);
  json.Key("metadata").BeginObject();
  json.Member("name", ObjectNameOf(row)).Member("namespace", "shop").EndObject();
  json.Key("spec");
  row["spec"].WriteTo(json);
  json.EndObject();
  std::string text = json.Take();
  const std::size_t at = text.find(kPlaceholder);
  if (at != std::string::npos) text.replace(at, kPlaceholder.size(), Repeated(row["repeat"]));
  return text;
}

}  // namespace

Result<std::string> ReadRepositoryFile(const std::filesystem::path& path) {
  std::ifstream file(test_support::SourceFolder() / path, std::ios::binary);
  if (!file) return Fail(ErrorKind::kNotFound, "cannot read {}", path.string());
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<std::vector<ObjectCase>> ReadObjectTable(std::string_view kind, std::string_view file_name) {
  const std::string text =
      TRY(ReadRepositoryFile(std::filesystem::path("tests/operator/api") / file_name));
  codec::YamlParser parser;
  const codec::YamlValue rows = TRY(parser.Parse(text));
  std::vector<ObjectCase> cases;
  for (const codec::YamlValue& row : rows.Elements()) {
    ObjectCase object{
        std::string(row["name"].StringOr("")), ObjectNameOf(row), DocumentOf(kind, row), {}};
    for (const codec::YamlValue& line : row["want"].Elements()) {
      object.want.emplace_back(line.StringOr(""));
    }
    cases.push_back(std::move(object));
  }
  return cases;
}

}  // namespace tracekeeper::api
