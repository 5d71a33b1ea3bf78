#include "src/kube/lease.h"

#include "src/codec/json_writer.h"
#include "src/kube/timestamp.h"

namespace tracekeeper::kube {
namespace {

constexpr std::string_view kFieldManager = "tracekeeper-leader-election";

void WriteTime(codec::JsonWriter& json, std::string_view key, const std::optional<Instant>& time) {
  json.Key(key);
  if (time) {
    json.String(FormatMicroTimestamp(*time));
  } else {
    json.Null();  // in a merge patch: remove it
  }
}

void WriteSpec(codec::JsonWriter& json, const LeaseRecord& record) {
  json.Key("spec")
      .BeginObject()
      .Member("holderIdentity", record.holder_identity)
      .Key("leaseDurationSeconds")
      .Integer(record.lease_duration_seconds)
      .Key("leaseTransitions")
      .Integer(record.lease_transitions);
  WriteTime(json, "acquireTime", record.acquire_time);
  WriteTime(json, "renewTime", record.renew_time);
  json.EndObject();
}

std::optional<Instant> TimeOf(codec::JsonValue value) {
  const auto time = ParseTimestamp(value.StringOr(""));
  if (!time) return std::nullopt;
  return *time;
}

Result<Lease> Decode(const Document& document) {
  Lease lease;
  lease.key = TRY(DecodeKey(document.root()));
  lease.resource_version = document["metadata"]["resourceVersion"].StringOr("");
  const codec::JsonValue spec = document["spec"];
  lease.record.holder_identity = spec["holderIdentity"].StringOr("");
  lease.record.lease_duration_seconds =
      static_cast<std::int32_t>(spec["leaseDurationSeconds"].IntegerOr(0));
  lease.record.lease_transitions = static_cast<std::int32_t>(spec["leaseTransitions"].IntegerOr(0));
  lease.record.acquire_time = TimeOf(spec["acquireTime"]);
  lease.record.renew_time = TimeOf(spec["renewTime"]);
  return lease;
}

}  // namespace

Result<Lease> GetLease(Client& client, const ObjectKey& key, const StopToken& stop) {
  return Decode(TRY(client.Get(kLeases, key, stop)));
}

Result<Lease> CreateLease(Client& client, const ObjectKey& key, const LeaseRecord& record,
                          const StopToken& stop) {
  codec::JsonWriter json;
  json.BeginObject()
      .Member("apiVersion", kLeases.ApiVersion())
      .Member("kind", kLeases.kind)
      .Key("metadata")
      .BeginObject()
      .Member("namespace", key.namespace_name)
      .Member("name", key.name)
      .EndObject();
  WriteSpec(json, record);
  json.EndObject();
  return Decode(TRY(client.Create(kLeases, key.namespace_name, json.text(),
                                  {.field_manager = std::string(kFieldManager)}, stop)));
}

Result<Lease> UpdateLease(Client& client, const Lease& seen, const LeaseRecord& record,
                          const StopToken& stop) {
  codec::JsonWriter json;
  json.BeginObject()
      .Key("metadata")
      .BeginObject()
      .Member("resourceVersion", seen.resource_version)
      .EndObject();
  WriteSpec(json, record);
  json.EndObject();
  return Decode(TRY(client.PatchMerge(kLeases, seen.key, json.text(),
                                      {.field_manager = std::string(kFieldManager)}, stop)));
}

Result<Lease> ReleaseLease(Client& client, const Lease& seen, Instant now, const StopToken& stop) {
  LeaseRecord free = seen.record;
  free.holder_identity.clear();
  free.lease_duration_seconds = 1;  // 0 is refused
  free.acquire_time = now;
  free.renew_time = now;
  return UpdateLease(client, seen, free, stop);
}

}  // namespace tracekeeper::kube
