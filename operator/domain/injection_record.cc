#include "operator/domain/injection_record.h"

#include "src/codec/json_writer.h"

namespace tracekeeper::domain {
namespace {

using codec::JsonValue;
using codec::JsonWriter;

void WriteNames(JsonWriter& json, std::string_view key,
                const std::vector<std::string_view>& names) {
  if (names.empty()) return;
  json.Key(key).BeginArray();
  for (const std::string_view name : names) json.String(name);
  json.EndArray();
}

void WriteOrigins(JsonWriter& json, const std::vector<Origin>& origins) {
  if (origins.empty()) return;
  json.Key("was").BeginObject();
  for (const Origin& origin : origins) json.Member(origin.path, origin.state);
  json.EndObject();
}

void WriteContainer(JsonWriter& json, const ContainerRecord& container) {
  json.Key(container.name).BeginObject();
  WriteNames(json, "env", container.env);
  if (!container.grew.empty()) {
    json.Key("grew").BeginObject();
    for (const auto& [name, size] : container.grew) json.Key(name).Integer(size);
    json.EndObject();
  }
  WriteNames(json, "mounts", container.mounts);
  WriteOrigins(json, container.was);
  json.EndObject();
}

}  // namespace

std::string_view OriginOf(const JsonValue& value) {
  if (!value) return Origin::kAbsent;
  return value.kind() == JsonValue::Kind::kNull ? Origin::kNull : std::string_view();
}

std::string InjectionRecord::ToJson() const {
  JsonWriter json;
  json.BeginObject().Key("v").Integer(kRecordVersion);
  json.Member("sidecar", native ? "native" : "plain");
  WriteNames(json, "initContainers", init_containers);
  WriteNames(json, "containers", containers);
  WriteNames(json, "volumes", volumes);
  WriteOrigins(json, was);
  json.Key("in").BeginObject();
  for (const ContainerRecord& container : in) WriteContainer(json, container);
  json.EndObject().EndObject();
  return json.Take();
}

std::string ExtendRecord(const JsonValue& record, const std::vector<ContainerRecord>& later) {
  JsonWriter json;
  json.BeginObject();
  for (const auto& [key, value] : record.Members()) {
    if (key != "in") json.Key(key).Raw(value.ToJson());
  }
  json.Key("in").BeginObject();
  for (const auto& [name, container] : record["in"].Members()) {
    json.Key(name).Raw(container.ToJson());
  }
  for (const ContainerRecord& container : later) WriteContainer(json, container);
  json.EndObject().EndObject();
  return json.Take();
}

}  // namespace tracekeeper::domain
