#pragma once
// HttpExporter delivers by OTLP/HTTP with protobuf bodies.
//
// Threads:  see Exporter.
// Owner:    owns its transport and credential.
// Source:   OTLP specification 1.x, "OTLP/HTTP".

#include <memory>
#include <string>

#include "src/net/http.h"
#include "src/net/transport.h"
#include "src/otlp/exporter.h"

namespace tracekeeper::otlp {

struct HttpExporterOptions {
  std::string destination;  // for people
  std::string path_prefix;  // of the endpoint, without a slash at its end: "/otlp"
  net::Headers headers;     // sent with every request
  codec::Compression compression = codec::Compression::kGzip;
  Duration deadline = std::chrono::seconds(10);
};

/// `credential` may be null.
std::unique_ptr<Exporter> MakeHttpExporter(HttpExporterOptions options,
                                           std::unique_ptr<net::Transport> transport,
                                           std::shared_ptr<RequestCredential> credential);

}  // namespace tracekeeper::otlp
