#pragma once
// GrpcExporter delivers by OTLP/gRPC: one unary call a batch, over one HTTP/2 connection.
//
// Threads:  see Exporter.
// Owner:    owns its client and credential.
// Source:   OTLP specification 1.x, "OTLP/gRPC".

#include <functional>
#include <memory>
#include <string>

#include "src/net/http.h"
#include "src/net/http2_client.h"
#include "src/otlp/exporter.h"

namespace tracekeeper::otlp {

struct GrpcExporterOptions {
  std::string destination;  // for people
  net::Headers metadata;    // sent with every call
  codec::Compression compression = codec::Compression::kGzip;
  Duration deadline = std::chrono::seconds(10);
};

/// `credential` may be null. `wants_new_connection` is asked before each call; true when files of
/// TLS have changed. It may be empty.
std::unique_ptr<Exporter> MakeGrpcExporter(GrpcExporterOptions options,
                                           std::unique_ptr<net::Http2Client> client,
                                           std::shared_ptr<RequestCredential> credential,
                                           std::function<bool()> wants_new_connection);

}  // namespace tracekeeper::otlp
