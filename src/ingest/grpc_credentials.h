#pragma once
// How a gRPC server proves who it is, and asks its peers to.
//
// Threads:  a pure function of files.
// Failure:  a file that cannot be read or holds no PEM is named.

#include <memory>
#include <optional>
#include <string>

#include "src/base/result.h"

namespace grpc {
class ServerCredentials;
}  // namespace grpc

namespace tracekeeper::ingest {

/// Paths of PEM files, read once when the server starts.
struct TlsFiles {
  std::string certificate;  // the chain, the server's own first
  std::string key;
  /// Peers must show a certificate signed by one of these; empty asks for none.
  std::string client_authorities;
};

[[nodiscard]] Result<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(
    const std::optional<TlsFiles>& tls);

}  // namespace tracekeeper::ingest
