#pragma once
// Login is the port through which a Session gets a token; one implementation for each way that
// Vault knows who we are: a service account token (kubernetes), any JWT (jwt), a role id with a
// secret id that may come wrapped (approle), the client certificate of the TLS connection (cert).
//
// Threads:  LogIn() is called by one thread at a time and blocks.
// Owner:    the Session.
// Failure:  kLoginRefused and the rows of the endpoint; errors of a provider pass on unchanged.
// Make
//           functions fail with kInvalid where mount or role cannot be one.
// Secrets:  tokens are fetched for each login and wiped after it.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/crypto/secret_string.h"
#include "src/vault/endpoint.h"

namespace tracekeeper::vault {

struct Token {
  crypto::SecretString value;
  std::string accessor_hash;  // empty: a batch token has none
  Duration lease{};           // zero: does not end
  bool is_renewable = false;
  bool is_batch = false;
  std::string request_id;  // of the login
};

class Login {
 public:
  virtual ~Login() = default;
  virtual Result<Token> LogIn(Endpoint& endpoint, std::string_view name_space,
                              const StopToken& stop) = 0;
};

using SecretProvider = std::function<Result<crypto::SecretString>(const StopToken&)>;

/// Logs in at auth/MOUNT/login with a role and a JWT: kubernetes and jwt are the same to us.
struct JwtLoginOptions {
  std::string mount = "kubernetes";
  std::string role;
  SecretProvider jwt;
};
Result<std::unique_ptr<Login>> MakeJwtLogin(JwtLoginOptions options);

enum class SecretIdForm : std::uint8_t {
  kPlain,
  kWrapped,  // the provider gives a wrapping token, which is unwrapped once and then remembered
};
struct AppRoleLoginOptions {
  std::string mount = "approle";
  std::string role_id;
  SecretProvider secret_id;
  SecretIdForm form = SecretIdForm::kPlain;
};
Result<std::unique_ptr<Login>> MakeAppRoleLogin(AppRoleLoginOptions options);

/// The endpoint's transport shows the certificate.
struct CertificateLoginOptions {
  std::string mount = "cert";
  std::string name;  // of the role; empty: Vault looks for one that fits
};
Result<std::unique_ptr<Login>> MakeCertificateLogin(CertificateLoginOptions options);

/// The token of an answer to a login or a renewal.
Result<Token> ReadToken(const Answer& answer, std::string_view tried);

}  // namespace tracekeeper::vault
