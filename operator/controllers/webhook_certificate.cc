#include "operator/controllers/webhook_certificate.h"

#include "src/codec/base64.h"
#include "src/codec/json_writer.h"
#include "src/crypto/certificate_maker.h"
#include "src/kube/timestamp.h"

namespace tracekeeper::controllers {
namespace {

constexpr std::string_view kActivatedAt = "tracekeeper.dev/activated-at";
constexpr std::string_view kAuthorityName = "tracekeeper-webhook-ca";
constexpr std::string_view kCommonName = "tracekeeper-webhook";

Result<std::string> Field(const codec::JsonValue& data, std::string_view key) {
  const auto encoded = data[key].String();
  if (!encoded || encoded->empty()) {
    return Fail(ErrorKind::kDecode, "the webhook's Secret has no {}", key);
  }
  auto decoded = codec::DecodeBase64(*encoded);
  if (!decoded) return Fail(ErrorKind::kDecode, "{} of the webhook's Secret is not base64", key);
  return decoded;
}

Result<VouchedPair> ReadPair(const codec::JsonValue& data, std::string_view certificate_key,
                             std::string_view private_key_key, std::string_view authority_key) {
  std::string chain = TRY(Field(data, certificate_key));
  std::string key_text = TRY(Field(data, private_key_key));
  crypto::SecretString key = crypto::SecretString::Taking(key_text);
  auto pair = crypto::CertificatePair::Parse(std::move(chain), std::move(key));
  if (!pair) {
    return Fail(
        std::move(pair.error()).Within(fmt::format("{} of the webhook's Secret", certificate_key)));
  }
  return VouchedPair{std::make_shared<const crypto::CertificatePair>(std::move(*pair)),
                     TRY(Field(data, authority_key))};
}

void WritePair(codec::JsonWriter& json, const VouchedPair& vouched,
               std::string_view certificate_key, std::string_view private_key_key,
               std::string_view authority_key) {
  json.Member(certificate_key, codec::EncodeBase64(vouched.pair->chain_pem()))
      .Member(private_key_key, codec::EncodeBase64(vouched.pair->private_key_pem().Reveal()))
      .Member(authority_key, codec::EncodeBase64(vouched.authority_pem));
}

bool IsIpAddress(std::string_view host) {
  return host.find(':') != std::string_view::npos ||
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

std::string WebhookCertificate::TrustBundle() const {
  std::string bundle = serving.authority_pem;
  if (next) bundle += next->authority_pem;
  return bundle + previous_authority_pem;
}

Result<WebhookCertificate> ReadWebhookCertificate(const codec::JsonValue& secret) {
  const codec::JsonValue data = secret["data"];
  WebhookCertificate stored;
  stored.serving = TRY(ReadPair(data, "tls.crt", "tls.key", "ca.crt"));
  if (data["next.crt"]) stored.next = TRY(ReadPair(data, "next.crt", "next.key", "next-ca.crt"));
  if (data["previous-ca.crt"]) stored.previous_authority_pem = TRY(Field(data, "previous-ca.crt"));
  const std::string_view activated = secret["metadata"]["annotations"][kActivatedAt].StringOr("");
  if (!activated.empty()) stored.activated_at = TRY(kube::ParseTimestamp(activated));
  return stored;
}

std::string WriteWebhookCertificate(const kube::ObjectKey& key, const WebhookCertificate& stored,
                                    std::string_view resource_version) {
  codec::JsonWriter json;
  json.BeginObject().Member("apiVersion", "v1").Member("kind", "Secret");
  json.Key("metadata").BeginObject();
  json.Member("name", key.name).Member("namespace", key.namespace_name);
  if (!resource_version.empty()) json.Member("resourceVersion", resource_version);
  json.Key("labels")
      .BeginObject()
      .Member("app.kubernetes.io/managed-by", "tracekeeper-operator")
      .EndObject();
  if (stored.activated_at) {
    json.Key("annotations")
        .BeginObject()
        .Member(kActivatedAt, kube::FormatTimestamp(*stored.activated_at))
        .EndObject();
  }
  json.EndObject();
  json.Member("type", "kubernetes.io/tls").Key("data").BeginObject();
  WritePair(json, stored.serving, "tls.crt", "tls.key", "ca.crt");
  if (stored.next) WritePair(json, *stored.next, "next.crt", "next.key", "next-ca.crt");
  if (!stored.previous_authority_pem.empty()) {
    json.Member("previous-ca.crt", codec::EncodeBase64(stored.previous_authority_pem));
  }
  json.EndObject().EndObject();
  return json.Take();
}

Result<VouchedPair> MakeVouchedPair(const WebhookNames& names, Duration lifetime, Instant now) {
  const crypto::CertificateValidity validity{
      .now = now,
      .lifetime = lifetime,
      .back_dated_by = std::min<Duration>(std::chrono::hours(1), lifetime)};
  // The authority lives on this stack only: its key is wiped when this function returns.
  const crypto::CertificatePair authority =
      TRY(crypto::MakeCertificateAuthority(std::string(kAuthorityName), validity));
  crypto::CertificatePair leaf =
      TRY(crypto::IssueCertificate(authority,
                                   {.common_name = std::string(kCommonName),
                                    .dns_names = names.dns_names,
                                    .ip_addresses = names.ip_addresses},
                                   validity));
  return VouchedPair{std::make_shared<const crypto::CertificatePair>(std::move(leaf)),
                     authority.chain_pem()};
}

WebhookNames NamesOfService(std::string_view service, std::string_view namespace_name) {
  const std::string short_name = fmt::format("{}.{}.svc", service, namespace_name);
  return {{short_name, short_name + ".cluster.local"}, {}};
}

Result<WebhookNames> NamesOfUrl(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) {
    return Fail(ErrorKind::kInvalid, "webhook URL \"{}\" must start with https://", url);
  }
  std::string_view host = url.substr(kScheme.size());
  host = host.substr(0, host.find('/'));
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  if (host.empty()) return Fail(ErrorKind::kInvalid, "webhook URL \"{}\" names no host", url);
  if (IsIpAddress(host)) return WebhookNames{{}, {std::string(host)}};
  return WebhookNames{{std::string(host)}, {}};
}

domain::CertificateState StateOf(const WebhookCertificate& stored,
                                 std::optional<Instant> next_trusted_since) {
  const crypto::CertificateInfo& leaf = stored.serving.pair->leaf();
  return {.not_before = leaf.not_before,
          .not_after = leaf.not_after,
          .has_next = stored.next.has_value(),
          .next_trusted_since = next_trusted_since,
          .activated_at = stored.activated_at};
}

WebhookCertificate Prepared(WebhookCertificate stored, VouchedPair fresh) {
  stored.next = std::move(fresh);
  return stored;
}

WebhookCertificate Activated(WebhookCertificate stored, Instant now) {
  WebhookCertificate result;
  result.previous_authority_pem = std::move(stored.serving.authority_pem);
  result.serving = std::move(*stored.next);
  result.activated_at = now;
  return result;
}

WebhookCertificate Retired(WebhookCertificate stored) {
  stored.previous_authority_pem.clear();
  stored.activated_at.reset();
  return stored;
}

}  // namespace tracekeeper::controllers
