#pragma once
// How a gRPC server proves who it is, and asks its peers to. Each new connection is shown what the
// source holds then, so a swap needs no restart and cuts no open connection.
//
// Threads:  gRPC asks for certificates at handshakes, from threads of its own.
// Owner:    the server; it keeps what MakeCredentials gives until it has ended.
// Failure:  kInvalid where the source has no certificate yet. Whether clients are asked for
//           certificates is decided here, once: a source that asks later asks in vain, and where
//           one does not any more, what it was before stays in use.

#include <memory>

#include "src/base/result.h"

namespace tracekeeper::crypto {
class ServerTlsSource;
}  // namespace tracekeeper::crypto

namespace grpc {
class ServerCredentials;
}  // namespace grpc

namespace tracekeeper::ingest {

/// Null: without TLS.
[[nodiscard]] Result<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(
    const std::shared_ptr<crypto::ServerTlsSource>& tls);

}  // namespace tracekeeper::ingest
