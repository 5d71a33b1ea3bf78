#include "src/vault/login.h"

#include <fmt/format.h>

#include <utility>

#include "src/vault/path.h"

namespace tracekeeper::vault {
namespace {

constexpr std::size_t kLongestName = 256;
constexpr std::size_t kLongestToken = 16U << 10U;

Status CheckRole(std::string_view role) {
  if (role.empty() || role.size() > kLongestName) {
    return Fail(ErrorKind::kInvalid, "a Vault role is a name of 1 to {} bytes", kLongestName);
  }
  return {};
}

/// A token that would break out of its header is refused, and not quoted.
Status CheckToken(std::string_view token, std::string_view tried) {
  bool is_clean = !token.empty() && token.size() <= kLongestToken;
  for (const char c : token) is_clean = is_clean && c > ' ' && c <= '~';
  if (is_clean) return {};
  return Fail(MakeError(Failure::kMalformedSecret, tried, "no token has these characters"));
}

std::string_view WithoutBlanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

Result<Token> SendLogin(Endpoint& endpoint, std::string_view name_space, std::string path,
                        SecretJson body, std::string what, const StopToken& stop) {
  const Call call{.operation = Operation::kLogin,
                  .method = "POST",
                  .path = std::move(path),
                  .body = std::move(body),
                  .what = std::move(what)};
  const Answer answer = TRY(endpoint.Send(call, {.name_space = name_space}, stop));
  return ReadToken(answer, call.what);
}

class JwtLogin final : public Login {
 public:
  JwtLogin(JwtLoginOptions options, std::string path)
      : options_(std::move(options)), path_(std::move(path)) {}

  Result<Token> LogIn(Endpoint& endpoint, std::string_view name_space,
                      const StopToken& stop) override {
    const crypto::SecretString jwt = TRY(options_.jwt(stop));
    SecretJson body;
    body.Begin().Text("role", options_.role).Text("jwt", WithoutBlanks(jwt.Reveal())).End();
    return SendLogin(
        endpoint, name_space, path_, std::move(body),
        fmt::format("log in to Vault at {} as role \"{}\"", options_.mount, Scrub(options_.role)),
        stop);
  }

 private:
  const JwtLoginOptions options_;
  const std::string path_;
};

class AppRoleLogin final : public Login {
 public:
  AppRoleLogin(AppRoleLoginOptions options, std::string path)
      : options_(std::move(options)), path_(std::move(path)) {}

  Result<Token> LogIn(Endpoint& endpoint, std::string_view name_space,
                      const StopToken& stop) override {
    crypto::SecretString given = TRY(options_.secret_id(stop));
    if (options_.form == SecretIdForm::kWrapped) {
      TRY(UnwrapOnce(std::move(given), endpoint, name_space, stop));
      return LogInWith(unwrapped_, endpoint, name_space, stop);
    }
    return LogInWith(given, endpoint, name_space, stop);
  }

 private:
  Result<Token> LogInWith(const crypto::SecretString& secret_id, Endpoint& endpoint,
                          std::string_view name_space, const StopToken& stop) {
    SecretJson body;
    body.Begin()
        .Text("role_id", options_.role_id)
        .Text("secret_id", WithoutBlanks(secret_id.Reveal()))
        .End();
    return SendLogin(endpoint, name_space, path_, std::move(body),
                     fmt::format("log in to Vault at {}", options_.mount), stop);
  }

  /// A wrapping token opens once; what was in it serves until there is another one.
  Status UnwrapOnce(crypto::SecretString wrapping, Endpoint& endpoint, std::string_view name_space,
                    const StopToken& stop) {
    if (!unwrapped_.empty() && wrapping.Equals(wrapping_)) return {};
    const crypto::SecretString token(WithoutBlanks(wrapping.Reveal()));
    const Call call{.operation = Operation::kUnwrap,
                    .method = "POST",
                    .path = "sys/wrapping/unwrap",
                    .what =
                        "unwrap the secret id (a refusal here can mean that somebody else "
                        "opened it first)"};
    TRY(CheckToken(token.Reveal(), call.what));
    const Answer answer =
        TRY(endpoint.Send(call, {.token = &token, .name_space = name_space}, stop));
    unwrapped_ = crypto::SecretString(TRY(ReadText(answer.data(), "secret_id", call.what)));
    wrapping_ = std::move(wrapping);
    return {};
  }

  const AppRoleLoginOptions options_;
  const std::string path_;
  crypto::SecretString wrapping_;
  crypto::SecretString unwrapped_;
};

class CertificateLogin final : public Login {
 public:
  CertificateLogin(CertificateLoginOptions options, std::string path)
      : options_(std::move(options)), path_(std::move(path)) {}

  Result<Token> LogIn(Endpoint& endpoint, std::string_view name_space,
                      const StopToken& stop) override {
    SecretJson body;
    body.Begin();
    if (!options_.name.empty()) body.Text("name", options_.name);
    body.End();
    return SendLogin(endpoint, name_space, path_, std::move(body),
                     fmt::format("log in to Vault at {} with our certificate", options_.mount),
                     stop);
  }

 private:
  const CertificateLoginOptions options_;
  const std::string path_;
};

}  // namespace

Result<Token> ReadToken(const Answer& answer, std::string_view tried) {
  const codec::JsonValue auth = answer.root()["auth"];
  if (!auth.is_object()) {
    return Fail(MakeError(Failure::kLoginRefused, tried, "the answer holds no token"));
  }
  const std::string_view value = TRY(ReadText(auth, "client_token", tried));
  TRY(CheckToken(value, tried));
  Token token;
  token.lease = TRY(ReadSeconds(auth, "lease_duration", tried));
  token.is_renewable = auth["renewable"].BoolOr(false);
  token.is_batch = auth["token_type"].StringOr("") == "batch" || value.starts_with("hvb.");
  const std::string_view accessor = auth["accessor"].StringOr("");
  if (!accessor.empty()) token.accessor_hash = HashOfId(accessor);
  token.request_id = answer.request_id();
  token.value = crypto::SecretString(value);
  return token;
}

Result<std::unique_ptr<Login>> MakeJwtLogin(JwtLoginOptions options) {
  TRY(CheckRole(options.role));
  std::string path = fmt::format("auth/{}/login", TRY(EncodePath(options.mount)));
  return std::make_unique<JwtLogin>(std::move(options), std::move(path));
}

Result<std::unique_ptr<Login>> MakeAppRoleLogin(AppRoleLoginOptions options) {
  TRY(CheckRole(options.role_id));
  std::string path = fmt::format("auth/{}/login", TRY(EncodePath(options.mount)));
  return std::make_unique<AppRoleLogin>(std::move(options), std::move(path));
}

Result<std::unique_ptr<Login>> MakeCertificateLogin(CertificateLoginOptions options) {
  if (!options.name.empty()) TRY(CheckRole(options.name));
  std::string path = fmt::format("auth/{}/login", TRY(EncodePath(options.mount)));
  return std::make_unique<CertificateLogin>(std::move(options), std::move(path));
}

}  // namespace tracekeeper::vault
