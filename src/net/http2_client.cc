#include "src/net/http2_client.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/net/connect_socket.h"
#include "src/net/event_loop.h"
#include "src/net/http2_client_connection.h"
#include "src/net/origin.h"

namespace tracekeeper::net {

namespace {

// A server that refuses a call so many times is overloaded: its caller should wait.
constexpr int kAttempts = 3;

MonotonicTime Now() { return std::chrono::steady_clock::now(); }

/// A connected socket on its way from the connecting thread to the loop.
struct Connected {
  Connected() = default;
  Connected(const Connected&) = delete;
  Connected& operator=(const Connected&) = delete;
  ~Connected() {
    if (descriptor >= 0) ::close(descriptor);
  }

  Status status;
  int descriptor = -1;
  StreamTls tls;
  MonotonicTime deadline;  // for what is left of connecting
};

class OneServerClient final : public Http2Client, private Http2ClientConnection::Owner {
 public:
  OneServerClient(Http2ClientOptions options, Origin origin)
      : options_(std::move(options)), origin_(std::move(origin)) {}

  ~OneServerClient() override {
    if (!thread_.joinable()) return;
    stop_connecting_.request_stop();
    loop_.Post([this] { Shutdown(); });
    thread_.join();
  }

  CallId Start(std::shared_ptr<const Request> request, const Http2CallOptions& options,
               Done done) override {
    const CallId id = ++last_id_;
    std::call_once(started_, [this] { thread_ = std::jthread([this] { loop_.Run(); }); });
    const auto call = std::make_shared<Call>();
    call->request = std::move(request);
    call->body_limit = options.body_limit;
    call->deadline = Now() + options.deadline;
    call->done = std::move(done);
    loop_.Post([this, id, call] { Admit(id, std::move(*call)); });
    return id;
  }

  void Cancel(CallId call) override {
    loop_.Post([this, call] {
      Fail(call, {ErrorKind::kCancelled, "stopped", {}});
      Settle();
    });
  }

  void Renew() override {
    loop_.Post([this] {
      is_outdated_ = connecting_;
      if (current_) Retire(std::exchange(current_, nullptr));
      Settle();
    });
  }

 private:
  using ConnectionPtr = std::shared_ptr<Http2ClientConnection>;

  struct Call {
    std::shared_ptr<const Request> request;
    std::size_t body_limit = 0;
    MonotonicTime deadline;
    Done done;
    int attempts = 0;
    ConnectionPtr connection;  // null while it waits
    MonotonicTime begun_at;
  };

  void Admit(CallId id, Call call) {
    const std::string_view forged = FindForgedField(call.request->headers);
    const bool is_full = calls_.size() >= options_.calls;
    Arm(call.deadline);
    calls_.emplace(id, std::move(call));
    if (forged.data() != nullptr) {
      Fail(id, {ErrorKind::kInvalid, fmt::format("the header \"{}\" cannot be sent", forged), {}});
    } else if (is_full) {
      Fail(id, {ErrorKind::kUnavailable,
                fmt::format("{} calls are under way already", options_.calls),
                {}});
    } else {
      waiting_.push_back(id);
      Settle();
    }
  }

  /// Begins what can begin, and sees to it that the rest can.
  void Settle() {
    const bool is_old = current_ && current_->is_usable() &&
                        Now() - current_->opened_at() > options_.transport.connection_age;
    const bool is_spent = current_ && !current_->is_usable() && !current_->is_opening();
    if (!waiting_.empty() && (is_old || is_spent)) Retire(std::exchange(current_, nullptr));
    while (!waiting_.empty() && current_ && current_->has_room()) BeginNext();
    if (!waiting_.empty() && !current_ && !connecting_) Connect();
    if (current_) Arm(current_->NextDeadline());
  }

  void BeginNext() {
    const CallId id = waiting_.front();
    waiting_.pop_front();
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;  // it has ended while it waited
    Call& call = found->second;
    call.connection = current_;
    call.begun_at = Now();
    ++call.attempts;
    if (current_->Begin(id, call.request, call.body_limit)) return;
    call.connection = nullptr;
    waiting_.push_front(id);
  }

  void Connect() {
    connecting_ = true;
    connector_ = std::jthread([this, stop = stop_connecting_.get_token()] {
      const auto connected = std::make_shared<Connected>();
      connected->status = Open(*connected, stop);
      loop_.Post([this, connected] { OnConnected(*connected); });
    });
  }

  /// On the connecting thread: files are read and names looked up, which may take time.
  Status Open(Connected& connected, const StopToken& stop) const {
    const TransportOptions& transport = options_.transport;
    connected.deadline = Now() + transport.connect_deadline;
    if (origin_.is_https) {
      connected.tls.context = TRY(MakeClientContext(transport));
      connected.tls.expected_peer =
          transport.server_name.empty() ? origin_.host : transport.server_name;
      connected.tls.protocol = kAlpnHttp2;
    }
    connected.descriptor = TRY(ConnectSocket(origin_, connected.deadline, stop));
    return {};
  }

  void OnConnected(Connected& connected) {
    connecting_ = false;
    if (std::exchange(is_outdated_, false)) {
      Settle();
      return;
    }
    if (!connected.status) {
      FailWaiting(connected.status.error());
      return;
    }
    current_ = std::make_shared<Http2ClientConnection>(
        MakeByteStream(loop_, std::exchange(connected.descriptor, -1), connected.tls),
        connected.tls, origin_, options_, static_cast<Http2ClientConnection::Owner&>(*this));
    current_->Start(connected.deadline);
    Arm(current_->NextDeadline());
  }

  // Http2ClientConnection::Owner
  void OnAnswer(CallId id, Http2Result result) override { Finish(id, std::move(result)); }

  void OnRefused(CallId id, Error why) override {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    found->second.connection = nullptr;
    if (found->second.attempts >= kAttempts) {
      Fail(id, std::move(why));
      return;
    }
    waiting_.push_front(id);
    loop_.Post([this] { Settle(); });  // not from within the session that refused it
  }

  void OnRoom(Http2ClientConnection&) override { Settle(); }

  void OnClosed(Http2ClientConnection& connection, const Error& why) override {
    std::erase_if(retired_, [&](const ConnectionPtr& kept) { return kept.get() == &connection; });
    if (current_.get() != &connection) return;
    current_.reset();
    if (!connection.was_usable()) FailWaiting(why);
    Settle();
  }

  void Retire(const ConnectionPtr& connection) {
    retired_.push_back(connection);
    connection->Retire();
    if (connection->is_opening()) connection->Close({ErrorKind::kCancelled, "renewed", {}});
  }

  void FailWaiting(const Error& why) {
    for (const CallId id : std::exchange(waiting_, {})) Fail(id, why);
  }

  void Fail(CallId id, Error why) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    const ConnectionPtr connection = found->second.connection;
    if (connection) connection->Cancel(id);
    const Delivery delivery = connection ? Delivery::kUnknown : Delivery::kNotProcessed;
    Finish(id, tl::unexpected(Http2Failure{std::move(why), delivery}));
  }

  void Finish(CallId id, Http2Result result) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    const Call call = std::move(found->second);
    calls_.erase(found);
    if (!result) {
      result.error().error =
          std::move(result.error().error)
              .Within(fmt::format("{} {}: {} {}", options_.transport.name, origin_.Text(),
                                  call.request->method, PathOf(call.request->target)));
    }
    call.done(std::move(result));
  }

  void Arm(MonotonicTime at) {
    if (at >= armed_at_) return;
    armed_at_ = at;
    loop_.After(std::max<Duration>(at - Now(), Duration::zero()), [this] { OnTimer(); });
  }

  void OnTimer() {
    const MonotonicTime now = Now();
    if (now < armed_at_) return;  // an earlier one that was overtaken
    armed_at_ = MonotonicTime::max();
    FailOverdue(now);
    for (const ConnectionPtr& connection : std::vector(retired_)) connection->CheckDeadlines(now);
    if (current_) ConnectionPtr(current_)->CheckDeadlines(now);
    Settle();
    for (const auto& [id, call] : calls_) Arm(call.deadline);
    for (const ConnectionPtr& connection : retired_) Arm(connection->NextDeadline());
  }

  void FailOverdue(MonotonicTime now) {
    std::vector<CallId> overdue;
    for (const auto& [id, call] : calls_) {
      if (call.deadline <= now) overdue.push_back(id);
    }
    for (const CallId id : overdue) {
      const Call& call = calls_.at(id);
      const ConnectionPtr connection = call.connection;
      const bool is_suspect = connection && connection->heard_at() < call.begun_at;
      Fail(id, {ErrorKind::kTimeout,
                connection ? "no answer in time" : "no connection could take the call in time",
                {}});
      // Nothing was heard since the call began: the next one had better use another path.
      if (is_suspect && connection == current_) Retire(std::exchange(current_, nullptr));
    }
  }

  void Shutdown() {
    std::vector<CallId> all;
    all.reserve(calls_.size());
    for (const auto& [id, call] : calls_) all.push_back(id);
    for (const CallId id : all) Fail(id, {ErrorKind::kCancelled, "stopped", {}});
    waiting_.clear();
    const Error why{ErrorKind::kCancelled, "stopped", {}};
    for (const ConnectionPtr& connection : std::vector(retired_)) connection->Close(why);
    if (current_) ConnectionPtr(current_)->Close(why);
    loop_.Stop();
  }

  const Http2ClientOptions options_;
  const Origin origin_;
  std::atomic<CallId> last_id_ = 0;
  std::once_flag started_;
  // Of the loop's thread alone.
  std::unordered_map<CallId, Call> calls_;
  std::deque<CallId> waiting_;
  ConnectionPtr current_;               // takes new calls, or will
  std::vector<ConnectionPtr> retired_;  // finish what they have
  bool connecting_ = false;
  bool is_outdated_ = false;  // what is connecting was begun before Renew()
  MonotonicTime armed_at_ = MonotonicTime::max();

  EventLoop loop_{1};
  std::stop_source stop_connecting_;  // apart from the thread, which the loop makes anew
  std::jthread connector_;
  std::jthread thread_;
};

}  // namespace

Http2Result Http2Client::Send(const Request& request, const Http2CallOptions& options,
                              const StopToken& stop) {
  struct Waiter {
    std::mutex mutex;
    std::condition_variable_any ended;
    std::optional<Http2Result> result;
  };
  const auto waiter = std::make_shared<Waiter>();
  // Borrowed: a call that is done is not looked at any more.
  const CallId call = Start({std::shared_ptr<void>(), &request}, options, [waiter](Http2Result r) {
    const std::lock_guard lock(waiter->mutex);
    waiter->result = std::move(r);
    waiter->ended.notify_all();
  });
  std::unique_lock lock(waiter->mutex);
  const auto has_ended = [&] { return waiter->result.has_value(); };
  if (!waiter->ended.wait(lock, stop, has_ended)) {
    lock.unlock();
    Cancel(call);
    lock.lock();
    waiter->ended.wait(lock, has_ended);
  }
  return *std::move(waiter->result);
}

Result<std::unique_ptr<Http2Client>> MakeHttp2Client(Http2ClientOptions options) {
  auto origin = ParseOrigin(options.transport.base_url);
  if (!origin) return Fail(std::move(origin).error().Within(options.transport.name));
  if (origin->is_https && !CanTrustSomebody(options.transport)) {
    return Fail(ErrorKind::kInvalid, "{} {}: https needs the authorities to trust",
                options.transport.name, origin->Text());
  }
  return std::make_unique<OneServerClient>(std::move(options), *std::move(origin));
}

}  // namespace tracekeeper::net
