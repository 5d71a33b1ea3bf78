#include "sidecar/export_target.h"

#include <utility>

#include "sidecar/tls_files.h"
#include "src/base/version.h"
#include "src/config/export_endpoint.h"
#include "src/net/transports.h"
#include "src/otlp/grpc_exporter.h"
#include "src/otlp/http_exporter.h"

namespace tracekeeper::sidecar {
namespace {

codec::Compression CompressionOf(config::Compression compression) {
  switch (compression) {
    case config::Compression::kNone:
      return codec::Compression::kIdentity;
    case config::Compression::kGzip:
      return codec::Compression::kGzip;
    case config::Compression::kZstd:
      return codec::Compression::kZstd;
  }
  return codec::Compression::kGzip;
}

net::Headers HeadersOf(const config::Export& target) {
  net::Headers headers;
  headers.Set("User-Agent", "tracekeeper-sidecar/" + std::string(kVersion));
  for (const auto& [name, value] : target.headers) headers.Set(name, value);
  return headers;
}

net::TransportOptions TransportOf(const config::Export& target,
                                  const config::ExportEndpoint& endpoint,
                                  const std::shared_ptr<TlsFiles>& files) {
  net::TransportOptions options{.name = "backend", .base_url = endpoint.Origin()};
  options.connect_deadline = std::chrono::seconds(5);
  if (!endpoint.is_tls) return options;
  if (target.tls.insecure_skip_verify) options.trust = net::PeerTrust::kAnyone;
  options.authorities_pem = [files] { return files->Authorities(); };
  options.client_certificate = [files] { return files->Certificate(); };
  options.server_name = target.tls.server_name.value_or("");
  return options;
}

}  // namespace

Result<ExportTarget> MakeExportTarget(const config::Export& target, const Clock& clock,
                                      const Logger& log) {
  const config::ExportEndpoint endpoint = TRY(config::ParseExportEndpoint(target));
  if (endpoint.is_tls && target.tls.insecure_skip_verify) {
    log.Warn("Takes any certificate of the backend: whoever sits between can read and change all",
             {{"destination", endpoint.Text()}});
  }
  ExportTarget made;
  if (target.auth) made.credential = std::make_shared<CredentialFile>(*target.auth, clock, log);
  const auto files = std::make_shared<TlsFiles>(target.tls, log);
  net::TransportOptions transport = TransportOf(target, endpoint, files);
  if (target.protocol == config::ExportProtocol::kHttpProtobuf) {
    made.exporter =
        otlp::MakeHttpExporter({.destination = "http/protobuf " + endpoint.Text(),
                                .path_prefix = endpoint.path,
                                .headers = HeadersOf(target),
                                .compression = CompressionOf(target.compression)},
                               TRY(net::MakeBeastTransport(std::move(transport))), made.credential);
    return made;
  }
  std::function<bool()> wants_new_connection;
  if (endpoint.is_tls) wants_new_connection = [files] { return files->TakeChange(); };
  made.exporter =
      otlp::MakeGrpcExporter({.destination = "grpc " + endpoint.Text(),
                              .metadata = HeadersOf(target),
                              .compression = CompressionOf(target.compression)},
                             TRY(net::MakeHttp2Client({.transport = std::move(transport)})),
                             made.credential, std::move(wants_new_connection));
  return made;
}

}  // namespace tracekeeper::sidecar
