#include "src/ingest/grpc_credentials.h"

#include <grpcpp/security/server_credentials.h>

#include <fstream>
#include <iterator>

namespace tracekeeper::ingest {
namespace {

Result<std::string> ReadPem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return Fail(ErrorKind::kNotFound, "{}: cannot be read", path);
  if (text.find("-----BEGIN ") == std::string::npos) {
    return Fail(ErrorKind::kInvalid, "{}: is not in PEM format", path);
  }
  return text;
}

}  // namespace

Result<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(
    const std::optional<TlsFiles>& tls) {
  if (!tls) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(
      tls->client_authorities.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                      : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  grpc::SslServerCredentialsOptions::PemKeyCertPair pair;
  pair.cert_chain = TRY(ReadPem(tls->certificate));
  pair.private_key = TRY(ReadPem(tls->key));
  options.pem_key_cert_pairs.push_back(std::move(pair));
  if (!tls->client_authorities.empty()) {
    options.pem_root_certs = TRY(ReadPem(tls->client_authorities));
  }
  return grpc::SslServerCredentials(options);
}

}  // namespace tracekeeper::ingest
