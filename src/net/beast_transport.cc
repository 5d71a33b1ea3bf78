// BeastTransport: a pool of ClientConnections to one server, and when to send a call again.

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "src/crypto/secret_string.h"
#include "src/net/client_connection.h"
#include "src/net/request_writer.h"
#include "src/net/transports.h"

namespace tracekeeper::net {

namespace {

MonotonicTime Now() { return std::chrono::steady_clock::now(); }

/// RFC 9110 9.2.2: sending it twice does what sending it once does.
bool IsIdempotent(std::string_view method) {
  constexpr std::array<std::string_view, 5> kMethods = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

/// Gathers a unary response, up to the caller's limit.
class CollectingSink final : public StreamSink {
 public:
  explicit CollectingSink(std::size_t limit) : limit_(limit) {}
  ~CollectingSink() override { crypto::Wipe(response_.body); }
  CollectingSink(const CollectingSink&) = delete;
  CollectingSink& operator=(const CollectingSink&) = delete;

  Status OnHead(int status, const Headers& headers) override {
    response_.status = status;
    response_.headers = headers;
    return {};
  }

  Status OnBytes(std::string_view bytes) override {
    if (bytes.size() > limit_ - response_.body.size()) {
      return Fail(ErrorKind::kDecode, "the answer is longer than the {} bytes expected of it",
                  limit_);
    }
    MakeRoom(response_.body.size() + bytes.size());
    response_.body.append(bytes);
    return {};
  }

  [[nodiscard]] Response Take() { return std::move(response_); }

 private:
  /// A body may hold a secret: what it grows out of is wiped.
  void MakeRoom(std::size_t size) {
    if (size <= response_.body.capacity()) return;
    std::string larger;
    larger.reserve(std::max(size, 2 * response_.body.capacity()));
    larger.append(response_.body);
    crypto::Wipe(response_.body);
    response_.body = std::move(larger);
  }

  const std::size_t limit_;
  Response response_;
};

// Asio's TLS stream copies what comes in two pieces onto the stack first, and leaves it there. A
// request that may hold a secret goes out as one piece, from memory that is wiped.
constexpr std::size_t kLongestInOnePiece = 1U << 20U;

class RequestBytes {
 public:
  RequestBytes(std::string head, std::string_view body) : head_(std::move(head)), body_(body) {
    if (body.empty() || body.size() > kLongestInOnePiece) return;
    std::string whole;
    whole.reserve(head_.size() + body.size());
    whole.append(head_).append(body);
    crypto::Wipe(head_);
    head_ = std::move(whole);
    body_ = {};
  }
  ~RequestBytes() { crypto::Wipe(head_); }
  RequestBytes(const RequestBytes&) = delete;
  RequestBytes& operator=(const RequestBytes&) = delete;

  [[nodiscard]] std::string_view first() const { return head_; }
  [[nodiscard]] std::string_view second() const { return body_; }

 private:
  std::string head_;
  std::string_view body_;
};

class BeastTransport final : public Transport {
 public:
  BeastTransport(TransportOptions options, Origin origin)
      : options_(std::move(options)), origin_(std::move(origin)) {}

  Result<Response> Send(const Request& request, const CallOptions& options,
                        const StopToken& stop) override {
    CollectingSink sink(options.body_limit);
    TRY(Perform(request, sink, {Now() + options.deadline, std::nullopt}, stop));
    return sink.Take();
  }

  Status Stream(const Request& request, StreamSink& sink, const CallOptions& options,
                const StopToken& stop) override {
    return Perform(request, sink, {Now() + options.deadline, options.idle}, stop);
  }

 private:
  using ConnectionPtr = std::unique_ptr<ClientConnection>;

  Status Perform(const Request& request, StreamSink& sink, const CallLimits& limits,
                 const StopToken& stop) {
    Status done = Attempt(request, sink, limits, stop);
    if (done) return done;
    return Fail(std::move(done).error().Within(fmt::format(
        "{} {}: {} {}", options_.name, origin_.Text(), request.method, PathOf(request.target))));
  }

  Status Attempt(const Request& request, StreamSink& sink, const CallLimits& limits,
                 const StopToken& stop) {
    const RequestBytes bytes(TRY(WriteRequestHead(request, origin_)), request.body);
    const auto body_rule = request.method == "HEAD" ? ResponseReader::BodyRule::kNever
                                                    : ResponseReader::BodyRule::kAsFramed;
    if (ConnectionPtr pooled = TakeIdle()) {
      ResponseReader reader(sink, body_rule);
      auto done = pooled->Call(bytes.first(), bytes.second(), reader, limits, stop);
      if (done) {
        GiveBack(std::move(pooled));
        return {};
      }
      // The server may close an idle connection at the very moment that we use it again.
      const bool was_stale = done.error().error.kind == ErrorKind::kUnavailable &&
                             done.error().got_nothing &&
                             (done.error().sent_nothing || IsIdempotent(request.method));
      if (!was_stale) return Fail(std::move(done).error().error);
    }
    ConnectionPtr fresh = TRY(Open(limits.deadline, stop));
    ResponseReader reader(sink, body_rule);
    auto done = fresh->Call(bytes.first(), bytes.second(), reader, limits, stop);
    if (!done) return Fail(std::move(done).error().error);
    GiveBack(std::move(fresh));
    return {};
  }

  Result<ConnectionPtr> Open(MonotonicTime deadline, const StopToken& stop) {
    StreamTls tls;
    if (origin_.is_https) {
      tls.context = TRY(MakeClientContext(options_));
      tls.expected_peer = options_.server_name.empty() ? origin_.host : options_.server_name;
    }
    return ClientConnection::Open(origin_, tls,
                                  std::min(deadline, Now() + options_.connect_deadline), stop);
  }

  /// The connection used last, as long as it can be used; the longest idle ones die first.
  ConnectionPtr TakeIdle() {
    for (;;) {
      ConnectionPtr connection;
      {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) return nullptr;
        connection = std::move(idle_.back());
        idle_.pop_back();
      }
      if (IsFresh(*connection) && connection->IsAlive()) return connection;
    }
  }

  [[nodiscard]] bool IsFresh(const ClientConnection& connection) const {
    const MonotonicTime now = Now();
    return now - connection.idle_since() < options_.idle_for &&
           now - connection.opened_at() < options_.connection_age;
  }

  void GiveBack(ConnectionPtr connection) {
    if (!connection->IsAlive() || !IsFresh(*connection)) return;
    connection->set_idle_since(Now());
    std::vector<ConnectionPtr> dropped;  // closed after the lock is free
    const std::lock_guard lock(mutex_);
    const auto stale = std::stable_partition(idle_.begin(), idle_.end(),
                                             [this](const auto& idle) { return IsFresh(*idle); });
    std::move(stale, idle_.end(), std::back_inserter(dropped));
    idle_.erase(stale, idle_.end());
    if (idle_.size() < options_.idle_connections) idle_.push_back(std::move(connection));
  }

  const TransportOptions options_;
  const Origin origin_;
  std::mutex mutex_;
  std::vector<ConnectionPtr> idle_;  // guarded by mutex_; the one used last is at the back
};

}  // namespace

Result<std::unique_ptr<Transport>> MakeBeastTransport(TransportOptions options) {
  auto origin = ParseOrigin(options.base_url);
  if (!origin) return Fail(std::move(origin).error().Within(options.name));
  if (origin->is_https && !CanTrustSomebody(options)) {
    return Fail(ErrorKind::kInvalid, "{} {}: https needs the authorities to trust", options.name,
                origin->Text());
  }
  return std::make_unique<BeastTransport>(std::move(options), *std::move(origin));
}

}  // namespace tracekeeper::net
