#include "src/kube/discovery.h"

#include <charconv>

#include "src/codec/json_writer.h"

namespace tracekeeper::kube {
namespace {

/// The digits at the beginning: some vendors write "34+".
int LeadingNumber(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string GroupVersionPath(const Resource& resource) {
  const std::string path = resource.CollectionPath();
  return path.substr(0, path.rfind('/'));
}

}  // namespace

Result<ServerVersion> GetServerVersion(Client& client, const StopToken& stop) {
  const Document document = TRY(client.Call(
      {.target = "/version", .what = "read the server's version", .repeat = Repeat::kSafe}, stop));
  ServerVersion version;
  version.git_version = document["gitVersion"].StringOr("");
  version.major = LeadingNumber(document["major"].StringOr(""));
  version.minor = LeadingNumber(document["minor"].StringOr(""));
  if (version.git_version.empty()) {
    return Fail(ErrorKind::kDecode,
                "read the server's version: the answer has no gitVersion; is this a Kubernetes API "
                "server?");
  }
  return version;
}

Result<bool> ServesResource(Client& client, const Resource& resource, const StopToken& stop) {
  const auto document = client.Call({.target = GroupVersionPath(resource),
                                     .what = "look for " + resource.QualifiedName(),
                                     .repeat = Repeat::kSafe},
                                    stop);
  if (!document) {
    if (document.error().kind == ErrorKind::kNotFound) return false;
    return Fail(document.error());
  }
  for (const codec::JsonValue entry : (*document)["resources"].Elements()) {
    if (entry["name"].StringOr("") == resource.plural) return true;
  }
  return false;
}

Result<AccessAnswer> MayI(Client& client, const AccessQuestion& question, const StopToken& stop) {
  codec::JsonWriter json;
  json.BeginObject()
      .Member("apiVersion", kSelfSubjectAccessReviews.ApiVersion())
      .Member("kind", kSelfSubjectAccessReviews.kind)
      .Key("spec")
      .BeginObject()
      .Key("resourceAttributes")
      .BeginObject()
      .Member("verb", question.verb)
      .Member("group", question.group)
      .Member("resource", question.resource);
  if (!question.subresource.empty()) json.Member("subresource", question.subresource);
  if (!question.namespace_name.empty()) json.Member("namespace", question.namespace_name);
  if (!question.name.empty()) json.Member("name", question.name);
  json.EndObject().EndObject().EndObject();
  const Document answer = TRY(client.Call({.method = "POST",
                                           .target = kSelfSubjectAccessReviews.CollectionPath(),
                                           .content_type = "application/json",
                                           .body = json.Take(),
                                           .what = "ask what we may do",
                                           .repeat = Repeat::kSafe},  // it changes nothing
                                          stop));
  const codec::JsonValue status = answer["status"];
  return AccessAnswer{status["allowed"].BoolOr(false), std::string(status["reason"].StringOr(""))};
}

}  // namespace tracekeeper::kube
