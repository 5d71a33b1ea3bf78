#include "tests/support/fake_api_server.h"

#include <fmt/core.h>

#include <algorithm>

#include "tests/support/fake_api_core.h"

namespace tracekeeper::test_support {
namespace {

std::string_view ReasonOf(int status) {
  switch (status) {
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 409:
      return "Conflict";
    case 410:
      return "Expired";
    case 422:
      return "Invalid";
    case 429:
      return "TooManyRequests";
    case 503:
      return "ServiceUnavailable";
    default:
      return "InternalError";
  }
}

net::Response AnswerOf(const Fault& fault) {
  net::Response answer =
      fault.body.empty()
          ? StatusAnswer(fault.status, fault.reason.empty() ? ReasonOf(fault.status) : fault.reason,
                         fmt::format("the test asked for {}", fault.status))
          : net::Response{.status = fault.status,
                          .headers = {{"Content-Type", "text/html"}},
                          .body = fault.body};
  if (!fault.retry_after.empty()) answer.headers.Set("Retry-After", fault.retry_after);
  return answer;
}

}  // namespace

std::optional<Fault> FakeApiServer::Core::TakeFault(const net::Request& request) {
  const std::lock_guard lock(mutex);
  requests.push_back(request);
  for (auto fault = faults.begin(); fault != faults.end(); ++fault) {
    if (!fault->method.empty() && fault->method != request.method) continue;
    if (request.target.find(fault->target_contains) == std::string::npos) continue;
    Fault taken = *fault;
    if (--fault->times == 0) faults.erase(fault);
    return taken;
  }
  return std::nullopt;
}

void FakeApiServer::Core::WakeWatches() {
  for (Watch* watch : watches) watch->is_waiting = false;
  changed.notify_all();
}

Result<net::Response> FakeApiServer::Core::Process(const net::Request& request) {
  if (const auto fault = TakeFault(request)) {
    if (fault->before) fault->before();
    if (fault->after_the_work) {
      const std::lock_guard lock(mutex);
      routes.Answer(request);
      WakeWatches();
    }
    if (fault->error) return Fail(*fault->error);
    if (fault->status != 0) return AnswerOf(*fault);
  }
  const std::lock_guard lock(mutex);
  net::Response answer = routes.Answer(request);
  WakeWatches();
  return answer;
}

FakeApiServer::FakeApiServer(const Clock& clock) : core_(std::make_unique<Core>(clock)) {}
FakeApiServer::~FakeApiServer() = default;

void FakeApiServer::Serve(const kube::Resource& resource) {
  const std::lock_guard lock(core_->mutex);
  core_->store.Serve(resource);
}

std::string FakeApiServer::Put(const kube::Resource& resource, std::string_view json) {
  const std::lock_guard lock(core_->mutex);
  const Result<JsonTree> object = JsonTree::Parse(json);
  if (!object) return "";
  const kube::ObjectKey key{object->TextAt({"metadata", "namespace"}),
                            object->TextAt({"metadata", "name"})};
  const auto version = core_->store.Write(core_->store.Serve(resource), key, *object).version;
  core_->WakeWatches();
  return std::to_string(version);
}

bool FakeApiServer::Remove(const kube::Resource& resource, const kube::ObjectKey& key) {
  const std::lock_guard lock(core_->mutex);
  const bool was_there = core_->store.Erase(core_->store.Serve(resource), key);
  core_->WakeWatches();
  return was_there;
}

std::optional<std::string> FakeApiServer::Find(const kube::Resource& resource,
                                               const kube::ObjectKey& key) const {
  const std::lock_guard lock(core_->mutex);
  const StoredObject* found = core_->store.Find(core_->store.Serve(resource), key);
  if (found == nullptr) return std::nullopt;
  return *found->json;
}

std::vector<kube::ObjectKey> FakeApiServer::Keys(const kube::Resource& resource) const {
  const std::lock_guard lock(core_->mutex);
  std::vector<kube::ObjectKey> keys;
  for (const auto& [key, object] : core_->store.objects(core_->store.Serve(resource))) {
    keys.push_back(key);
  }
  return keys;
}

std::int64_t FakeApiServer::resource_version() const {
  const std::lock_guard lock(core_->mutex);
  return core_->store.version();
}

void FakeApiServer::FailNext(Fault fault) {
  const std::lock_guard lock(core_->mutex);
  core_->faults.push_back(std::move(fault));
}

void FakeApiServer::ForgetFaults() {
  const std::lock_guard lock(core_->mutex);
  core_->faults.clear();
}

void FakeApiServer::Compact() {
  const std::lock_guard lock(core_->mutex);
  core_->store.Compact();
}

void FakeApiServer::EndWatches(WatchEnd how) {
  const std::lock_guard lock(core_->mutex);
  for (Core::Watch* watch : core_->watches) watch->end = how;
  core_->WakeWatches();
}

void FakeApiServer::FallSilent() {
  const std::lock_guard lock(core_->mutex);
  core_->is_silent = true;
}

void FakeApiServer::Wake() {
  const std::lock_guard lock(core_->mutex);
  core_->is_silent = false;
  core_->WakeWatches();
}

void FakeApiServer::InjectIntoWatches(const kube::Resource& resource, std::string_view bytes) {
  const std::lock_guard lock(core_->mutex);
  const kube::Resource* served = core_->store.Serve(resource);
  for (Core::Watch* watch : core_->watches) {
    if (watch->resource == served) watch->extra.emplace_back(bytes);
  }
  core_->WakeWatches();
}

void FakeApiServer::SendBookmarks() {
  const std::lock_guard lock(core_->mutex);
  for (Core::Watch* watch : core_->watches) watch->wants_bookmark = true;
  core_->WakeWatches();
}

void FakeApiServer::DripBytes(std::size_t piece) {
  const std::lock_guard lock(core_->mutex);
  core_->drip = piece;
}

void FakeApiServer::SetWatchList(bool served) {
  const std::lock_guard lock(core_->mutex);
  core_->serves_watch_list = served;
}

void FakeApiServer::HoldInitialBookmark(bool held) {
  const std::lock_guard lock(core_->mutex);
  core_->holds_initial_bookmark = held;
}

std::vector<net::Request> FakeApiServer::requests() const {
  const std::lock_guard lock(core_->mutex);
  return core_->requests;
}

std::size_t FakeApiServer::CountRequests(std::string_view text) const {
  const std::lock_guard lock(core_->mutex);
  return static_cast<std::size_t>(std::count_if(
      core_->requests.begin(), core_->requests.end(), [&](const net::Request& request) {
        return (request.method + " " + request.target).find(text) != std::string::npos;
      }));
}

std::size_t FakeApiServer::CountWrites() const {
  const std::lock_guard lock(core_->mutex);
  return static_cast<std::size_t>(
      std::count_if(core_->requests.begin(), core_->requests.end(),
                    [](const net::Request& request) { return request.method != "GET"; }));
}

void FakeApiServer::ForgetRequests() {
  const std::lock_guard lock(core_->mutex);
  core_->requests.clear();
}

std::size_t FakeApiServer::open_watches() const {
  const std::lock_guard lock(core_->mutex);
  return core_->watches.size();
}

bool FakeApiServer::WaitForWatches(std::size_t count, Duration limit) const {
  std::unique_lock lock(core_->mutex);
  return core_->settled.wait_for(lock, limit, [&] {
    const auto waiting = std::count_if(core_->watches.begin(), core_->watches.end(),
                                       [](const Core::Watch* watch) { return watch->is_waiting; });
    return static_cast<std::size_t>(waiting) >= count;
  });
}

Result<net::Response> FakeApiServer::Send(const net::Request& request,
                                          const net::CallOptions& options, const StopToken& stop) {
  if (stop.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
  net::Response answer = TRY(core_->Process(request));
  if (answer.body.size() > options.body_limit) {
    return Fail(ErrorKind::kDecode, "the body has more than {} bytes", options.body_limit);
  }
  return answer;
}

Status FakeApiServer::Stream(const net::Request& request, net::StreamSink& sink,
                             const net::CallOptions& options, const StopToken& stop) {
  if (stop.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
  std::optional<Asked> asked;
  {
    const std::lock_guard lock(core_->mutex);
    asked = core_->routes.Parse(request);
  }
  if (!asked || !asked->is_watch) return core_->Deliver(TRY(core_->Process(request)), sink);
  if (const auto fault = core_->TakeFault(request)) {
    if (fault->before) fault->before();
    if (fault->error) return Fail(*fault->error);
    if (fault->status != 0) return core_->Deliver(AnswerOf(*fault), sink);
  }
  return core_->RunWatch(request, *asked, sink, options, stop);
}

}  // namespace tracekeeper::test_support
