#include "src/kube/service_account_token.h"

#include <fmt/format.h>

#include "src/codec/json_writer.h"
#include "src/kube/timestamp.h"

namespace tracekeeper::kube {
namespace {

std::string TokenRequestJson(const TokenOptions& options) {
  codec::JsonWriter json;
  json.BeginObject()
      .Member("apiVersion", "authentication.k8s.io/v1")
      .Member("kind", "TokenRequest");
  json.Key("spec").BeginObject().Key("audiences").BeginArray();
  for (const std::string& audience : options.audiences) json.String(audience);
  json.EndArray().Key("expirationSeconds").Integer(options.lifetime.count());
  json.EndObject().EndObject();
  return json.Take();
}

Error WithAdvice(Error error, const ObjectKey& account) {
  if (error.kind == ErrorKind::kNotFound) {
    error.message += fmt::format(": create ServiceAccount {} in namespace {}, or name another",
                                 account.name, account.namespace_name);
  } else if (error.kind == ErrorKind::kForbidden) {
    error.message += fmt::format(
        ": the operator needs the right to create serviceaccounts/token in "
        "namespace {}; list it in the chart's rbac.secretAccess",
        account.namespace_name);
  }
  return error;
}

}  // namespace

Result<ServiceAccountToken> RequestToken(Client& client, const ObjectKey& service_account,
                                         const TokenOptions& options, const StopToken& stop) {
  RawCall call;
  call.method = "POST";
  call.target = kServiceAccounts.ObjectPath(service_account, "token");
  call.content_type = "application/json";
  call.body = TokenRequestJson(options);
  call.what = fmt::format("request a token of ServiceAccount {}", service_account.ToString());
  call.repeat = Repeat::kSafe;  // a token that nobody got ends by itself
  auto answer = client.Call(call, stop);
  if (!answer) return Fail(WithAdvice(std::move(answer).error(), service_account));
  const codec::JsonValue status = (*answer)["status"];
  const auto token = status["token"].String();
  if (!token || token->empty()) {
    return Fail(ErrorKind::kDecode, "{}: the answer holds no token", call.what);
  }
  const auto expires = ParseTimestamp(status["expirationTimestamp"].StringOr(""));
  if (!expires) return Fail(Error(expires.error()).Within(call.what));
  return ServiceAccountToken{crypto::SecretString(*token), *expires};
}

}  // namespace tracekeeper::kube
