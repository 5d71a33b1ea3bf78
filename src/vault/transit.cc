#include "src/vault/transit.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "src/codec/base64.h"
#include "src/vault/path.h"

namespace tracekeeper::vault {
namespace {

constexpr std::size_t kMostVersions = 4096;
constexpr std::string_view kPrefix = "vault:v";

tl::unexpected<Error> Malformed(std::string_view tried, std::string_view detail) {
  return Fail(MakeError(Failure::kMalformedSecret, tried, detail));
}

std::optional<std::uint64_t> ParseVersion(std::string_view text) {
  std::uint64_t version = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), version);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return version;
}

void AppendInput(SecretJson& body, const SignRequest& request) {
  body.Text("input", codec::EncodeBase64(request.input));
  if (request.form == SignatureForm::kJws) body.Text("marshaling_algorithm", "jws");
  if (!request.rsa_padding.empty()) body.Text("signature_algorithm", request.rsa_padding);
}

}  // namespace

Result<TransitKey> ReadTransitKey(const Answer& answer, std::string_view tried) {
  const codec::JsonValue data = answer.data();
  TransitKey key;
  key.type = TRY(ReadText(data, "type", tried));
  key.latest_version = TRY(ReadCount(data, "latest_version", tried));
  key.minimum_decryption_version = TRY(ReadCount(data, "min_decryption_version", tried));
  key.minimum_available_version = TRY(ReadCount(data, "min_available_version", tried));
  key.request_id = answer.request_id();
  for (const auto& [name, value] : data["keys"].Members()) {
    const auto version = ParseVersion(name);
    if (!version) return Malformed(tried, "a version that is not a number");
    const auto public_key = value["public_key"].String();
    if (public_key && !public_key->empty()) key.public_keys.emplace(*version, *public_key);
    if (key.public_keys.size() > kMostVersions) return Malformed(tried, "too many versions");
  }
  return key;
}

Result<Signature> ReadSignature(const Answer& answer, std::string_view tried) {
  const std::string_view text = TRY(ReadText(answer.data(), "signature", tried));
  const std::size_t colon = text.find(':', kPrefix.size());
  if (!text.starts_with(kPrefix) || colon == std::string_view::npos) {
    return Malformed(tried, "the answer's signature is none of Vault's");
  }
  const auto version = ParseVersion(text.substr(kPrefix.size(), colon - kPrefix.size()));
  if (!version) return Malformed(tried, "the answer's signature has no version");
  return Signature{std::string(text), *version, std::string(text.substr(colon + 1)),
                   answer.request_id()};
}

Result<Call> Transit::MakeCall(Operation operation, std::string_view middle, std::string_view key,
                               std::string_view verb) const {
  TRY(CheckName(key));
  return Call{.operation = operation,
              .method = "POST",
              .path = TRY(JoinPath(mount_, middle, key)),
              .what = fmt::format("{} transit key {}/{}", verb, mount_, key)};
}

Result<TransitKey> Transit::ReadKey(std::string_view key, const StopToken& stop) {
  Call call = TRY(MakeCall(Operation::kTransitKey, "keys", key, "read"));
  call.method = "GET";
  const std::string what = call.what;
  const Answer answer = TRY(caller_.Send(std::move(call), stop));
  return ReadTransitKey(answer, what);
}

Status Transit::Rotate(std::string_view key, const StopToken& stop) {
  Call call = TRY(MakeCall(Operation::kTransitRotate, "keys", key, "rotate"));
  call.path += "/rotate";
  TRY(caller_.Send(std::move(call), stop));
  return {};
}

Result<Signature> Transit::Sign(std::string_view key, const SignRequest& request,
                                const StopToken& stop) {
  Call call = TRY(MakeCall(Operation::kTransitSign, "sign", key, "sign by"));
  const std::string what = call.what;
  call.body.Begin();
  AppendInput(call.body, request);
  if (request.key_version != 0) {
    call.body.Number("key_version", static_cast<std::int64_t>(request.key_version));
  }
  call.body.End();
  const Answer answer = TRY(caller_.Send(std::move(call), stop));
  return ReadSignature(answer, what);
}

Result<bool> Transit::Verify(std::string_view key, const SignRequest& request,
                             std::string_view signature, const StopToken& stop) {
  Call call = TRY(MakeCall(Operation::kTransitVerify, "verify", key, "verify by"));
  const std::string what = call.what;
  call.body.Begin();
  AppendInput(call.body, request);
  call.body.Text("signature", signature).End();
  const Answer answer = TRY(caller_.Send(std::move(call), stop));
  const auto is_valid = answer.data()["valid"].Bool();
  if (!is_valid) return Malformed(what, "the answer does not say");
  return *is_valid;
}

Result<std::string> Transit::Rewrap(std::string_view key, std::string_view ciphertext,
                                    const StopToken& stop) {
  Call call = TRY(MakeCall(Operation::kTransitRewrap, "rewrap", key, "rewrap by"));
  const std::string what = call.what;
  call.body.Begin().Text("ciphertext", ciphertext).End();
  const Answer answer = TRY(caller_.Send(std::move(call), stop));
  return std::string(TRY(ReadText(answer.data(), "ciphertext", what)));
}

Status Transit::SetMinimumVersion(std::string_view key, std::uint64_t version,
                                  const StopToken& stop) {
  Call call = TRY(MakeCall(Operation::kTransitKey, "keys", key, "set the minimum version of"));
  call.path += "/config";
  const auto number = static_cast<std::int64_t>(version);
  call.body.Begin()
      .Number("min_decryption_version", number)
      .Number("min_encryption_version", number)
      .End();
  TRY(caller_.Send(std::move(call), stop));
  return {};
}

Status Transit::Trim(std::string_view key, std::uint64_t version, const StopToken& stop) {
  Call call = TRY(MakeCall(Operation::kTransitKey, "keys", key, "trim"));
  call.path += "/trim";
  call.body.Begin().Number("min_available_version", static_cast<std::int64_t>(version)).End();
  TRY(caller_.Send(std::move(call), stop));
  return {};
}

}  // namespace tracekeeper::vault
