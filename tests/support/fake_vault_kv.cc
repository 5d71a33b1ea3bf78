#include "tests/support/fake_vault_kv.h"

#include <fmt/format.h>

#include <charconv>

#include "src/codec/json_writer.h"
#include "src/kube/timestamp.h"
#include "tests/support/json_tree.h"

namespace tracekeeper::test_support {
namespace {

constexpr std::uint64_t kUsualVersions = 10;

net::Response NoContent() { return {.status = 204}; }

std::uint64_t NumberOf(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string Time(Instant instant) { return kube::FormatMicroTimestamp(instant); }

}  // namespace

net::Response VaultRefusal(int status, std::string_view sentence) {
  codec::JsonWriter json;
  json.BeginObject().Key("errors").BeginArray();
  if (!sentence.empty()) json.String(sentence);
  json.EndArray().EndObject();
  return {.status = status, .body = json.Take()};
}

net::Response VaultData(std::string_view data_json) {
  codec::JsonWriter json;
  json.BeginObject().Key("data").Raw(data_json).EndObject();
  return {.status = 200, .body = json.Take()};
}

net::Response FakeKv::Answer(const KvRequest& request) {
  if (version_ == 1) return First(request);
  const std::size_t slash = request.path.find('/');
  const std::string verb = request.path.substr(0, slash);
  const std::string path = slash == std::string::npos ? "" : request.path.substr(slash + 1);
  if (verb == "metadata") return Metadata(request, path);
  if (verb != "data") return Change(request, verb, path);
  if (request.method == "GET") return Read(request, path);
  if (request.method == "DELETE") return Change(request, "delete", path);
  return Write(request, path);
}

net::Response FakeKv::First(const KvRequest& request) {
  if (request.method == "DELETE") {
    first_.erase(request.path);
    return NoContent();
  }
  if (request.method != "GET") {
    first_[request.path] = request.body.ToJson();
    return NoContent();
  }
  const auto found = first_.find(request.path);
  return found == first_.end() ? VaultRefusal(404) : VaultData(found->second);
}

void FakeKv::WriteVersion(codec::JsonWriter& json, const Secret& secret, std::uint64_t number) {
  const Version& version = secret.versions.at(number);
  json.BeginObject()
      .Member("created_time", Time(version.created))
      .Key("custom_metadata")
      .Raw(secret.custom)
      .Member("deletion_time", version.deleted)
      .Key("destroyed")
      .Bool(version.is_destroyed)
      .Key("version")
      .Unsigned(number)
      .EndObject();
}

net::Response FakeKv::Read(const KvRequest& request, std::string_view path) {
  const auto found = secrets_.find(path);
  if (found == secrets_.end() || found->second.newest == 0) return VaultRefusal(404);
  const Secret& secret = found->second;
  const std::uint64_t asked = NumberOf(request.version);
  const std::uint64_t number = asked == 0 ? secret.newest : asked;
  const auto version = secret.versions.find(number);
  if (version == secret.versions.end()) return VaultRefusal(404);
  const bool is_gone = version->second.is_destroyed || !version->second.deleted.empty();
  codec::JsonWriter json;
  json.BeginObject().Key("data").Raw(is_gone ? "null" : version->second.data).Key("metadata");
  WriteVersion(json, secret, number);
  json.EndObject();
  net::Response answer = VaultData(json.text());
  if (is_gone) answer.status = 404;
  return answer;
}

net::Response FakeKv::Write(const KvRequest& request, std::string_view path) {
  Secret& secret = secrets_[std::string(path)];
  const codec::JsonValue cas = request.body["options"]["cas"];
  if (!request.body["data"].is_object()) return VaultRefusal(400, "no data provided");
  if (secret.needs_cas && !cas) {
    return VaultRefusal(400, "check-and-set parameter required for this call");
  }
  if (cas && cas.Unsigned() != secret.newest) {
    return VaultRefusal(400, "check-and-set parameter did not match the current version");
  }
  const std::uint64_t number = ++secret.newest;
  if (number == 1) secret.created = request.now;
  secret.updated = request.now;
  secret.versions[number] = {request.body["data"].ToJson(), request.now, "", false};
  const std::uint64_t kept = secret.max_versions == 0 ? kUsualVersions : secret.max_versions;
  while (secret.versions.size() > kept) secret.versions.erase(secret.versions.begin());
  codec::JsonWriter json;
  WriteVersion(json, secret, number);
  return VaultData(json.text());
}

net::Response FakeKv::Change(const KvRequest& request, std::string_view verb,
                             std::string_view path) {
  const auto found = secrets_.find(path);
  if (found == secrets_.end()) return NoContent();
  Secret& secret = found->second;
  std::vector<std::uint64_t> numbers;
  for (const codec::JsonValue number : request.body["versions"].Elements()) {
    numbers.push_back(number.Unsigned().value_or(NumberOf(number.StringOr(""))));
  }
  if (request.method == "DELETE") numbers = {secret.newest};
  for (const std::uint64_t number : numbers) {
    const auto version = secret.versions.find(number);
    if (version == secret.versions.end() || version->second.is_destroyed) continue;
    if (verb == "delete") version->second.deleted = Time(request.now);
    if (verb == "undelete") version->second.deleted.clear();
    if (verb == "destroy") {
      version->second.is_destroyed = true;
      version->second.data.clear();
    }
  }
  return NoContent();
}

void FakeKv::TakeCustom(const KvRequest& request, Secret& secret) {
  const codec::JsonValue given = request.body["custom_metadata"];
  JsonTree custom = JsonTree::EmptyObject();
  if (request.method == "PATCH" && secret.custom != "null") {
    custom = JsonTree::Parse(secret.custom).value();
  }
  for (const auto& [key, value] : given.Members()) {
    if (value.kind() == codec::JsonValue::Kind::kNull) {
      custom.Erase(key);
    } else {
      custom[key] = JsonTree::From(value);
    }
  }
  secret.custom = custom.ToJson();
}

net::Response FakeKv::Metadata(const KvRequest& request, std::string_view path) {
  if (request.method == "DELETE") {
    if (const auto found = secrets_.find(path); found != secrets_.end()) secrets_.erase(found);
    return NoContent();
  }
  if (request.method != "GET") {
    Secret& secret = secrets_[std::string(path)];
    if (secret.newest == 0) secret.created = secret.updated = request.now;
    if (const auto most = request.body["max_versions"].Unsigned()) secret.max_versions = *most;
    if (const auto needed = request.body["cas_required"].Bool()) secret.needs_cas = *needed;
    if (request.body["custom_metadata"]) TakeCustom(request, secret);
    return NoContent();
  }
  const auto found = secrets_.find(path);
  if (found == secrets_.end()) return VaultRefusal(404);
  const Secret& secret = found->second;
  codec::JsonWriter json;
  json.BeginObject()
      .Key("cas_required")
      .Bool(secret.needs_cas)
      .Member("created_time", Time(secret.created))
      .Key("current_version")
      .Unsigned(secret.newest)
      .Key("custom_metadata")
      .Raw(secret.custom)
      .Member("delete_version_after", "0s")
      .Key("max_versions")
      .Unsigned(secret.max_versions)
      .Key("oldest_version")
      .Unsigned(secret.versions.size() < secret.newest ? secret.versions.begin()->first : 0)
      .Member("updated_time", Time(secret.updated))
      .Key("versions")
      .BeginObject();
  for (const auto& [number, version] : secret.versions) {
    json.Key(fmt::format("{}", number))
        .BeginObject()
        .Member("created_time", Time(version.created))
        .Member("deletion_time", version.deleted)
        .Key("destroyed")
        .Bool(version.is_destroyed)
        .EndObject();
  }
  json.EndObject().EndObject();
  return VaultData(json.text());
}

}  // namespace tracekeeper::test_support
