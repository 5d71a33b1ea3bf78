#include "src/otlp/grpc_exporter.h"

#include <utility>

#include "src/net/grpc.h"

namespace tracekeeper::otlp {
namespace {

constexpr std::size_t kAnswerLimit = 256U << 10U;

/// The message of a reply that was compressed; servers rarely do so for a few bytes.
std::string MessageOf(net::GrpcReply& reply) {
  if (reply.encoding.empty()) return std::move(reply.message);
  const auto compression = codec::CompressionNamed(reply.encoding);
  if (!compression) return {};
  codec::Decompressor decompressor;
  const auto message = decompressor.Decompress(*compression, reply.message, kAnswerLimit);
  return message ? std::string(*message) : std::string();
}

class GrpcExporter final : public Exporter {
 public:
  GrpcExporter(GrpcExporterOptions options, std::unique_ptr<net::Http2Client> client,
               std::shared_ptr<RequestCredential> credential,
               std::function<bool()> wants_new_connection)
      : options_(std::move(options)),
        client_(std::move(client)),
        credential_(std::move(credential)),
        wants_new_connection_(std::move(wants_new_connection)) {}

  Answer Export(Signal signal, std::string& body, const StopToken& stop) override {
    net::Headers metadata = options_.metadata;
    if (credential_ != nullptr) {
      if (Status added = credential_->AddTo(metadata); !added) {
        return NoAnswer{std::move(added).error()};
      }
    }
    if (wants_new_connection_ && wants_new_connection_()) client_->Renew();
    const bool is_plain = options_.compression == codec::Compression::kIdentity;
    const net::Request request = net::WriteGrpcRequest(
        {.method = GrpcMethodOf(signal),
         .message = body,
         .encoding = is_plain ? std::string_view() : codec::NameOf(options_.compression),
         .timeout = options_.deadline},
        metadata);
    auto response =
        client_->Send(request, {.deadline = options_.deadline, .body_limit = kAnswerLimit}, stop);
    if (!response) return NoAnswer{std::move(response).error().error};
    return AnswerOf(*std::move(response));
  }

  [[nodiscard]] codec::Compression compression() const override { return options_.compression; }
  [[nodiscard]] const std::string& destination() const override { return options_.destination; }

 private:
  static Answer AnswerOf(net::Response response) {
    const std::string type(response.headers.Get("Content-Type"));
    if (type.starts_with("text/html")) {  // an ingress or a login page, not a gRPC server
      return HttpAnswer{.status = response.status,
                        .content_type = type,
                        .retry_after = std::string(response.headers.Get("Retry-After"))};
    }
    net::GrpcReply reply = net::ReadGrpcResponse(std::move(response));
    std::string message = MessageOf(reply);
    return GrpcAnswer{.status = std::move(reply.status),
                      .message = std::move(message),
                      .retry_after = std::move(reply.retry_after)};
  }

  const GrpcExporterOptions options_;
  const std::unique_ptr<net::Http2Client> client_;
  const std::shared_ptr<RequestCredential> credential_;
  const std::function<bool()> wants_new_connection_;
};

}  // namespace

std::unique_ptr<Exporter> MakeGrpcExporter(GrpcExporterOptions options,
                                           std::unique_ptr<net::Http2Client> client,
                                           std::shared_ptr<RequestCredential> credential,
                                           std::function<bool()> wants_new_connection) {
  return std::make_unique<GrpcExporter>(std::move(options), std::move(client),
                                        std::move(credential), std::move(wants_new_connection));
}

}  // namespace tracekeeper::otlp
