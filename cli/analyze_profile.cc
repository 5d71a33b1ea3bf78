// `tracekeeper analyze --show-profile`: what was learned of the services, which every verdict was
// made with.

#include <fmt/format.h>

#include <map>
#include <string>
#include <tuple>

#include "cli/analysis.h"
#include "src/codec/json_writer.h"
#include "src/continuity/structure.h"

namespace tracekeeper::cli {
namespace {

using codec::JsonWriter;
using continuity::Names;
using continuity::Profile;

/// Rows by their texts: numbers of names depend on the order of arrival.
template <typename Key, typename Row>
using Ordered = std::map<Key, const Row*>;

void WriteThreshold(std::optional<std::uint64_t> threshold, JsonWriter& json) {
  json.Key("threshold");
  if (!threshold) {
    json.Null();
    return;
  }
  std::string digits = fmt::format("{:014x}", *threshold);  // of 56 bits, as `ot=th` has them
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  json.String(digits);
}

void WriteServices(const Profile& profile, const Names& names, JsonWriter& json) {
  Ordered<std::string_view, continuity::ServiceProfile> rows;
  for (const auto& [service, row] : profile.services) rows[names.Text(service)] = &row;
  json.Key("services").BeginArray();
  for (const auto& [service, row] : rows) {
    json.BeginObject().Member("service", service);
    json.Key("instrumented").Bool(row->is_instrumented);
    json.Member("usual_caller", names.Text(row->usual_caller));
    WriteThreshold(row->threshold, json);
    json.Key("busy_us").Unsigned(row->busy).Key("observed_us").Unsigned(row->observed).EndObject();
  }
  json.EndArray();
}

void WriteAddresses(const Profile& profile, const Names& names, JsonWriter& json) {
  std::map<std::string_view, std::string_view> rows;
  for (const auto& [address, service] : profile.addresses) {
    rows[names.Text(address)] = names.Text(service);
  }
  json.Key("addresses").BeginArray();
  for (const auto& [address, service] : rows) {
    json.BeginObject().Member("address", address).Member("service", service).EndObject();
  }
  json.EndArray();
}

void WriteOperations(const Profile& profile, const Names& names, JsonWriter& json) {
  using Key = std::tuple<std::string_view, std::string_view, std::string_view, otlp::SpanKind>;
  Ordered<Key, continuity::OperationProfile> rows;
  for (const auto& [key, row] : profile.operations) {
    rows[{names.Text(key.service), names.Text(key.scope), names.Text(key.name), key.kind}] = &row;
  }
  json.Key("operations").BeginArray();
  for (const auto& [key, row] : rows) {
    const auto& [service, scope, name, kind] = key;
    json.BeginObject().Member("service", service).Member("scope", scope).Member("name", name);
    json.Member("kind", continuity::NameOf(kind));
    json.Key("children").Unsigned(row->children).Key("roots").Unsigned(row->roots);
    json.Key("roots_inside").Unsigned(row->roots_inside);
    json.Key("links_present").Unsigned(row->links_present);
    json.Key("links_absent").Unsigned(row->links_absent).EndObject();
  }
  json.EndArray();
}

void WriteCallees(const Profile& profile, const Names& names, JsonWriter& json) {
  Ordered<std::pair<std::string_view, std::string_view>, continuity::CalleeProfile> rows;
  for (const auto& [key, row] : profile.callees) {
    rows[{names.Text(key.first), names.Text(key.second)}] = &row;
  }
  json.Key("callees").BeginArray();
  for (const auto& [key, row] : rows) {
    json.BeginObject().Member("service", key.first).Member("name", key.second);
    json.Member("usual_caller", names.Text(row->usual_caller));
    json.Key("callers_present").Unsigned(row->present);
    json.Key("callers_absent").Unsigned(row->absent);
    json.Key("mostly_absent").Bool(row->is_mostly_absent());
    json.Key("ids_fall_apart").Bool(row->ids_fall_apart()).EndObject();
  }
  json.EndArray();
}

void WriteInstances(const Profile& profile, const Names& names, JsonWriter& json) {
  Ordered<std::string_view, continuity::InstanceProfile> rows;
  for (const auto& [instance, row] : profile.instances) rows[names.Text(instance)] = &row;
  json.Key("instances").BeginArray();
  for (const auto& [instance, row] : rows) {
    json.BeginObject().Member("instance", instance);
    json.Key("links_present").Unsigned(row->links_present);
    json.Key("links_absent").Unsigned(row->links_absent).EndObject();
  }
  json.EndArray();
}

}  // namespace

std::string ProfileJsonOf(const Profile& profile, const Names& names) {
  JsonWriter json;
  json.BeginObject().Key("settle_window_us").Unsigned(profile.settle_window);
  json.Key("skew_us").Unsigned(profile.skew).Key("delay_us");
  profile.delay == continuity::kMaxDuration ? json.Null() : json.Unsigned(profile.delay);
  WriteServices(profile, names, json);
  WriteAddresses(profile, names, json);
  WriteOperations(profile, names, json);
  WriteCallees(profile, names, json);
  WriteInstances(profile, names, json);
  json.EndObject();
  return json.Take() + "\n";
}

}  // namespace tracekeeper::cli
