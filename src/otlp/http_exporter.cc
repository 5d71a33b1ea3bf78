#include "src/otlp/http_exporter.h"

#include <utility>

namespace tracekeeper::otlp {
namespace {

/// An answer of a backend is a few bytes; a proxy's page may be more, and is not read to its end.
constexpr std::size_t kAnswerLimit = 256U << 10U;

class HttpExporter final : public Exporter {
 public:
  HttpExporter(HttpExporterOptions options, std::unique_ptr<net::Transport> transport,
               std::shared_ptr<RequestCredential> credential)
      : options_(std::move(options)),
        transport_(std::move(transport)),
        credential_(std::move(credential)) {}

  Answer Export(Signal signal, std::string& body, const StopToken& stop) override {
    net::Request request{.method = "POST",
                         .target = options_.path_prefix + std::string(HttpPathOf(signal)),
                         .headers = options_.headers};
    request.headers.Set("Content-Type", "application/x-protobuf");
    if (options_.compression != codec::Compression::kIdentity) {
      request.headers.Set("Content-Encoding", codec::NameOf(options_.compression));
    }
    if (credential_ != nullptr) {
      if (Status added = credential_->AddTo(request.headers); !added) {
        return NoAnswer{std::move(added).error()};
      }
    }
    request.body.swap(body);  // lent, not copied: it may be a megabyte
    auto response = transport_->Send(
        request, {.deadline = options_.deadline, .body_limit = kAnswerLimit}, stop);
    request.body.swap(body);
    if (!response) return NoAnswer{std::move(response).error()};
    return HttpAnswer{.status = response->status,
                      .content_type = std::string(response->headers.Get("Content-Type")),
                      .retry_after = std::string(response->headers.Get("Retry-After")),
                      .body = std::move(response->body)};
  }

  [[nodiscard]] codec::Compression compression() const override { return options_.compression; }
  [[nodiscard]] const std::string& destination() const override { return options_.destination; }

 private:
  const HttpExporterOptions options_;
  const std::unique_ptr<net::Transport> transport_;
  const std::shared_ptr<RequestCredential> credential_;
};

}  // namespace

std::unique_ptr<Exporter> MakeHttpExporter(HttpExporterOptions options,
                                           std::unique_ptr<net::Transport> transport,
                                           std::shared_ptr<RequestCredential> credential) {
  return std::make_unique<HttpExporter>(std::move(options), std::move(transport),
                                        std::move(credential));
}

}  // namespace tracekeeper::otlp
