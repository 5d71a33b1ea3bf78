#include "src/vault/kv.h"

#include <fmt/format.h>

#include "src/vault/path.h"

namespace tracekeeper::vault {
namespace {

void WriteValues(SecretJson& body, const SecretValues& values) {
  for (const auto& [key, value] : values) body.Text(key, value.Reveal());
}

}  // namespace

Status Kv2::CheckMount(std::string_view tried, const StopToken& stop) {
  if (is_checked_) return {};
  Call call{.operation = Operation::kMountRead,
            .path = "sys/internal/ui/mounts/" + TRY(EncodePath(mount_)),
            .what = fmt::format("{}: ask which engine is mounted at {}", tried, mount_)};
  const auto answer = caller_.Send(std::move(call), stop);
  if (!answer) {
    // Vault tells it to everybody who may do anything below the mount; where it does not, the call
    // itself will be refused too.
    const auto failure = FailureOf(answer.error());
    if (failure == Failure::kPermissionDenied || failure == Failure::kNotFound) return {};
    return Fail(answer.error());
  }
  const codec::JsonValue data = answer->data();
  const std::string_view type = data["type"].StringOr("");
  const std::string_view version = data["options"]["version"].StringOr("1");
  if (type != "kv" || version != "2") {
    return Fail(MakeError(Failure::kWrongKvVersion, tried,
                          fmt::format("at {} is an engine of type \"{}\", version {}", mount_,
                                      Scrub(type), Scrub(version))));
  }
  is_checked_ = true;
  return {};
}

Result<KvSecret> Kv2::Read(std::string_view path, std::uint64_t version, const StopToken& stop) {
  const std::string what = version == 0
                               ? fmt::format("read {}/{}", mount_, path)
                               : fmt::format("read version {} of {}/{}", version, mount_, path);
  Call call{
      .operation = Operation::kKvRead, .path = TRY(JoinPath(mount_, "data", path)), .what = what};
  if (version != 0) call.path += fmt::format("?version={}", version);
  const auto answer = caller_.Send(std::move(call), stop);
  if (answer) return ReadKv2Secret(*answer, what);
  // A mount of version 1 has nothing at data/PATH either.
  if (FailureOf(answer.error()) == Failure::kNotFound) TRY(CheckMount(what, stop));
  return Fail(answer.error());
}

Result<KvMetadata> Kv2::ReadMetadata(std::string_view path, const StopToken& stop) {
  const std::string what = fmt::format("read the metadata of {}/{}", mount_, path);
  const auto answer = caller_.Send({.operation = Operation::kKvMetadata,
                                    .path = TRY(JoinPath(mount_, "metadata", path)),
                                    .what = what},
                                   stop);
  if (answer) return ReadKvMetadata(*answer, what);
  if (FailureOf(answer.error()) == Failure::kNotFound) TRY(CheckMount(what, stop));
  return Fail(answer.error());
}

Result<std::uint64_t> Kv2::CasBase(std::string_view path, const StopToken& stop) {
  const auto metadata = ReadMetadata(path, stop);
  if (metadata) return metadata->current_version;
  if (FailureOf(metadata.error()) == Failure::kNotFound) return 0;
  return Fail(metadata.error());
}

Result<KvWritten> Kv2::Write(std::string_view path, const SecretValues& values, std::uint64_t base,
                             const StopToken& stop) {
  const std::string what = fmt::format("write version {} of {}/{}", base + 1, mount_, path);
  std::string target = TRY(JoinPath(mount_, "data", path));
  TRY(CheckMount(what, stop));
  Call call{
      .operation = Operation::kKvWrite, .method = "POST", .path = std::move(target), .what = what};
  call.body.Begin().Begin("options").Number("cas", static_cast<std::int64_t>(base)).End();
  call.body.Begin("data");
  WriteValues(call.body, values);
  call.body.End().End();
  const Answer answer = TRY(caller_.Send(std::move(call), stop));
  if (!answer.data()["version"]) return Fail(MakeError(Failure::kWrongKvVersion, what));
  return KvWritten{TRY(ReadCount(answer.data(), "version", what)), answer.request_id()};
}

Status Kv2::PatchCustomMetadata(std::string_view path,
                                const std::map<std::string, std::optional<std::string>>& changes,
                                const StopToken& stop) {
  Call call{.operation = Operation::kKvMetadata,
            .method = "PATCH",
            .path = TRY(JoinPath(mount_, "metadata", path)),
            .content_type = "application/merge-patch+json",
            .what = fmt::format("change the custom metadata of {}/{}", mount_, path)};
  call.body.Begin().Begin("custom_metadata");
  for (const auto& [key, value] : changes) {
    if (value) {
      call.body.Text(key, *value);
    } else {
      call.body.Null(key);
    }
  }
  call.body.End().End();
  TRY(caller_.Send(std::move(call), stop));
  return {};
}

Status Kv2::ChangeVersions(std::string_view middle, std::string_view verb, std::string_view path,
                           const std::vector<std::uint64_t>& versions, const StopToken& stop) {
  Call call{.operation = Operation::kKvDelete,
            .method = "PUT",
            .path = TRY(JoinPath(mount_, middle, path)),
            .what = fmt::format("{} versions of {}/{}", verb, mount_, path)};
  call.body.Begin().BeginList("versions");
  for (const std::uint64_t version : versions) {
    call.body.Element(static_cast<std::int64_t>(version));
  }
  call.body.EndList().End();
  TRY(CheckMount(call.what, stop));
  TRY(caller_.Send(std::move(call), stop));
  return {};
}

Status Kv2::Delete(std::string_view path, const std::vector<std::uint64_t>& versions,
                   const StopToken& stop) {
  return ChangeVersions("delete", "delete", path, versions, stop);
}

Status Kv2::Undelete(std::string_view path, const std::vector<std::uint64_t>& versions,
                     const StopToken& stop) {
  return ChangeVersions("undelete", "undelete", path, versions, stop);
}

Status Kv2::Destroy(std::string_view path, const std::vector<std::uint64_t>& versions,
                    const StopToken& stop) {
  return ChangeVersions("destroy", "destroy", path, versions, stop);
}

Result<KvSecret> Kv1::Read(std::string_view path, const StopToken& stop) {
  const std::string what = fmt::format("read {}/{}", mount_, path);
  const Answer answer = TRY(
      caller_.Send({.operation = Operation::kKvRead,
                    .path = fmt::format("{}/{}", TRY(EncodePath(mount_)), TRY(EncodePath(path))),
                    .what = what},
                   stop));
  return ReadKv1Secret(answer, what);
}

Status Kv1::Write(std::string_view path, const SecretValues& values, const StopToken& stop) {
  Call call{.operation = Operation::kKvWrite,
            .method = "POST",
            .path = fmt::format("{}/{}", TRY(EncodePath(mount_)), TRY(EncodePath(path))),
            .what = fmt::format("write {}/{}", mount_, path)};
  call.body.Begin();
  WriteValues(call.body, values);
  call.body.End();
  TRY(caller_.Send(std::move(call), stop));
  return {};
}

Status Kv1::Delete(std::string_view path, const StopToken& stop) {
  TRY(caller_.Send({.operation = Operation::kKvDelete,
                    .method = "DELETE",
                    .path = fmt::format("{}/{}", TRY(EncodePath(mount_)), TRY(EncodePath(path))),
                    .what = fmt::format("delete {}/{}", mount_, path)},
                   stop));
  return {};
}

}  // namespace tracekeeper::vault
