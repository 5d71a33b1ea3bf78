#include "src/kube/client.h"

#include "src/kube/caller.h"
#include "src/kube/list_decoder.h"
#include "src/kube/requests.h"

namespace tracekeeper::kube {
namespace {

/// How much longer than the server's own end a watch may be silent: then the path is dead.
constexpr Duration kWatchMargin = std::chrono::seconds(5);

template <typename Decoder>
class FeedDecoder final : public BodySink {
 public:
  explicit FeedDecoder(Decoder& decoder) : decoder_(decoder) {}
  Status OnBody(std::string_view bytes) override { return decoder_.Feed(bytes); }

 private:
  Decoder& decoder_;
};

Result<Document> ParseAnswer(Result<std::string> body, std::string_view what) {
  if (!body) return Fail(std::move(body).error());
  Result<Document> document = Document::Parse(*body);
  if (!document) return Fail(std::move(document.error()).Within(what));
  return document;
}

Result<Document> SendForDocument(Caller& caller, ApiCall call, const StopToken& stop) {
  const std::string what = call.what;
  return ParseAnswer(caller.Send(std::move(call), stop), what);
}

Result<ListPage> ReadPage(Caller& caller, ApiCall call, ListSink& sink, const StopToken& stop) {
  ListDecoder decoder(call.what, sink, caller.options().max_object_bytes);
  FeedDecoder<ListDecoder> body(decoder);
  const std::string what = call.what;
  const Duration deadline = caller.options().deadline;
  TRY(caller.Stream(std::move(call), {.deadline = deadline, .idle = deadline}, body, stop));
  Result<ListPage> page = decoder.Finish();
  if (!page) return Fail(std::move(page.error()).Within(what));
  return page;
}

}  // namespace

Client::Client(Options options, net::Transport& unary, net::Transport& streams,
               Credentials* credentials, const Clock& clock, Metrics& metrics)
    : caller_(std::make_unique<Caller>(std::move(options), unary, streams, credentials, clock,
                                       metrics)) {}
Client::~Client() = default;

const Client::Options& Client::options() const { return caller_->options(); }

Result<Document> Client::Get(const Resource& resource, const ObjectKey& key,
                             const StopToken& stop) {
  return SendForDocument(*caller_, GetCall(resource, key), stop);
}

Result<ListOutcome> Client::List(const Resource& resource, const ListOptions& options,
                                 ListSink& sink, const StopToken& stop) {
  ListOptions asked = options;
  ListOutcome outcome;
  std::string continue_token;
  while (true) {
    Result<ListPage> page =
        ReadPage(*caller_, ListCall(resource, asked, continue_token), sink, stop);
    if (!page) {
      const bool is_lost_page = page.error().kind == ErrorKind::kExpired && !continue_token.empty();
      if (!is_lost_page) return Fail(std::move(page).error());
      // The snapshot behind the token is gone. One list in one answer cannot expire half way.
      asked.page_size = 0;
      asked.resource_version.clear();
      asked.match = VersionMatch::kUnset;
      continue_token.clear();
      outcome = {};
      sink.OnRestart();
      continue;
    }
    outcome.objects += page->objects;
    ++outcome.pages;
    outcome.resource_version = std::move(page->resource_version);
    if (page->continue_token.empty()) return outcome;
    continue_token = std::move(page->continue_token);
  }
}

Status Client::Watch(const Resource& resource, const WatchOptions& options, WatchSink& sink,
                     const StopToken& stop) {
  ApiCall call = WatchCall(resource, options);
  WatchDecoder decoder(call.what, sink, caller_->options().max_object_bytes);
  FeedDecoder<WatchDecoder> body(decoder);
  // A proxy may hold the head back until the first event, so it gets as long as the stream.
  const Duration silence = options.timeout + kWatchMargin;
  return caller_->Stream(std::move(call), {.deadline = silence, .idle = silence}, body, stop);
}

Result<Document> Client::Apply(const Resource& resource, const ObjectKey& key,
                               std::string_view json, const ApplyOptions& options,
                               const StopToken& stop) {
  return SendForDocument(*caller_, ApplyCall(resource, key, json, options), stop);
}

Result<Document> Client::PatchJson(const Resource& resource, const ObjectKey& key,
                                   std::string_view json, const WriteOptions& options,
                                   const StopToken& stop) {
  return SendForDocument(*caller_, JsonPatchCall(resource, key, json, options), stop);
}

Result<Document> Client::PatchMerge(const Resource& resource, const ObjectKey& key,
                                    std::string_view json, const WriteOptions& options,
                                    const StopToken& stop) {
  return SendForDocument(*caller_, MergePatchCall(resource, key, json, options), stop);
}

Result<Document> Client::Create(const Resource& resource, std::string_view namespace_name,
                                std::string_view json, const WriteOptions& options,
                                const StopToken& stop) {
  return SendForDocument(*caller_, CreateCall(resource, namespace_name, json, options), stop);
}

Status Client::Delete(const Resource& resource, const ObjectKey& key, const DeleteOptions& options,
                      const StopToken& stop) {
  TRY(caller_->Send(DeleteCall(resource, key, options), stop));
  return {};
}

Result<std::string> Client::CallText(const RawCall& call, const StopToken& stop) {
  return caller_->Send(FromRaw(call), stop);
}

Result<Document> Client::Call(const RawCall& call, const StopToken& stop) {
  return SendForDocument(*caller_, FromRaw(call), stop);
}

}  // namespace tracekeeper::kube
