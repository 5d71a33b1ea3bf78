#include "src/ingest/grpc_server.h"

#include <fmt/format.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <list>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "src/codec/base64.h"
#include "src/ingest/grpc_credentials.h"
#include "src/ingest/grpc_log.h"
#include "src/ingest/grpc_message.h"
#include "src/ingest/listen_address.h"
#include "src/otlp/grpc_export.h"

namespace tracekeeper::ingest {
namespace {

/// When a peer that found too many calls under way may come again.
constexpr Duration kComeAgain = std::chrono::seconds(1);
/// Calls that the library may bring before we have looked at the last one.
constexpr std::size_t kAwaitedCalls = 32;

/// What one thread needs to read messages.
struct Workspace {
  GrpcMessage message;
  codec::Decompressor decompressor;
};

/// All that gRPC has of one call. It cannot be used for a second one.
struct Exchange {
  grpc::GenericServerContext context;
  grpc::GenericServerAsyncReaderWriter stream{&context};
  grpc::ByteBuffer message;
};

grpc::Status StatusOf(const otlp::ExportReply& reply) {
  // Binary here; the library writes the base64 of the wire itself.
  const auto details = codec::DecodeBase64(reply.status.details_base64);
  return {static_cast<grpc::StatusCode>(reply.status.code), reply.status.message,
          details ? std::string(details->begin(), details->end()) : std::string()};
}

gpr_timespec GrpcTimeOf(MonotonicTime time) {
  if (time == MonotonicTime::max()) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  const Duration left = time - std::chrono::steady_clock::now();
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(left.count(), GPR_TIMESPAN));
}

}  // namespace

/// A server between Start and the end of Drain.
class GrpcServer::Running {
 public:
  Running(const GrpcServerOptions& options, otlp::Intake& intake, const Logger& log)
      : options_(options),
        intake_(intake),
        export_(intake, options.limits),
        log_(log),
        grpc_log_(log) {}
  ~Running() { StopQueue(); }

  Status Start();
  void Drain(Duration patience);

  [[nodiscard]] std::uint16_t port() const { return static_cast<std::uint16_t>(port_); }
  [[nodiscard]] std::size_t open_calls() const {
    const std::scoped_lock guard(mutex_);
    return open_.size();
  }

 private:
  enum class Phase { kAwaited, kReading, kAnswering };
  struct Call {
    Phase phase = Phase::kAwaited;
    /// An operation may end, in another thread, before whoever began it is through: that thread
    /// waits for this to be false, and so sees what was written here.
    std::atomic<bool> is_beginning = false;
    std::unique_ptr<Exchange> exchange;
    bool lacks_message = false;
    MonotonicTime deadline;
    std::list<Call*>::iterator place;  // in one of the lists below
  };

  void Configure(grpc::ServerBuilder& builder);
  void Work();
  /// Begins the operation of that phase.
  template <typename Operation>
  static void Begin(Call& call, Phase phase, Operation operation) {
    call.phase = phase;
    call.is_beginning.store(true, std::memory_order_relaxed);
    operation(*call.exchange);
    call.is_beginning.store(false, std::memory_order_release);
  }
  void Proceed(Call& call, bool succeeded, Workspace& workspace);
  void Await();
  bool Admit(Call& call);
  void Arrive(Call& call);
  void Read(Call& call, bool has_message, Workspace& workspace);
  static void Answer(Call& call, const otlp::ExportReply& reply);
  static void Finish(Call& call, const grpc::Status& status);
  void End(Call& call);
  MonotonicTime CancelLate();
  void StopQueue();

  const GrpcServerOptions& options_;
  otlp::Intake& intake_;
  otlp::GrpcExport export_;
  const Logger log_;
  const GrpcLog grpc_log_;
  int port_ = 0;

  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;  // the server asks them until its end
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::jthread> threads_;
  bool queue_stopped_ = false;

  mutable std::mutex mutex_;
  std::condition_variable all_ended_;
  // Guarded by mutex_. Every call is in one of the lists; nodes move between them.
  bool accepting_ = false;
  std::list<Call*> unused_;
  std::list<Call*> awaited_;
  std::list<Call*> open_;  // the oldest, which is due first, in front
  std::list<Call> calls_;  // owns them
};

void GrpcServer::Running::Configure(grpc::ServerBuilder& builder) {
  grpc::ResourceQuota quota(options_.name);
  quota.Resize(options_.memory_bytes).SetMaxThreads(static_cast<int>(options_.threads) + 1);
  builder.SetResourceQuota(quota);
  // It reads a message to its end before it looks at its size, so we can say it in our own words.
  builder.SetMaxReceiveMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  // Its bytes cannot be told from a plain message.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  // Otherwise a port that is taken by a server of the same user would be shared with it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 100);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5'000);
  // Peers that vanished are found out; those that ask whether we are there are let.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 600'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.RegisterAsyncGenericService(&service_);
  queue_ = builder.AddCompletionQueue();
}

Status GrpcServer::Running::Start() {
  const std::string target = TRY(ListenTarget(options_.address, options_.port));
  credentials_ = TRY(MakeCredentials(options_.tls));
  grpc::ServerBuilder builder;
  Configure(builder);
  builder.AddListeningPort(target, credentials_, &port_);
  server_ = builder.BuildAndStart();
  if (!server_ || port_ == 0) return Fail(WhyNotListening(options_.address, options_.port));
  accepting_ = true;
  for (std::size_t i = 0; i < kAwaitedCalls; ++i) Await();
  for (unsigned i = 0; i < std::max(1U, options_.threads); ++i) {
    threads_.emplace_back([this] { Work(); });
  }
  return {};
}

void GrpcServer::Running::Drain(Duration patience) {
  if (!server_ || queue_stopped_) return;
  {
    const std::scoped_lock guard(mutex_);
    accepting_ = false;
  }
  server_->Shutdown(GrpcTimeOf(std::chrono::steady_clock::now() + patience));
  // Each open call has an operation under way still, which needs the queue.
  {
    std::unique_lock lock(mutex_);
    all_ended_.wait(lock, [this] { return open_.empty() && awaited_.empty(); });
  }
  StopQueue();
}

void GrpcServer::Running::StopQueue() {
  if (!queue_ || std::exchange(queue_stopped_, true)) return;
  queue_->Shutdown();
  threads_.clear();  // joins
  void* tag = nullptr;
  bool succeeded = false;
  while (queue_->Next(&tag, &succeeded)) continue;
}

/// Has gRPC bring one more call.
void GrpcServer::Running::Await() {
  const std::scoped_lock guard(mutex_);
  if (!accepting_) return;
  if (unused_.empty()) {
    calls_.emplace_back();
    unused_.push_front(&calls_.back());
    calls_.back().place = unused_.begin();
  }
  Call& call = *unused_.front();
  awaited_.splice(awaited_.end(), unused_, call.place);
  call.lacks_message = false;
  call.exchange = std::make_unique<Exchange>();
  // Under the lock: once accepting_ is false, the queue must get no new operation.
  Begin(call, Phase::kAwaited, [&](Exchange& exchange) {
    service_.RequestCall(&exchange.context, &exchange.stream, queue_.get(), queue_.get(), &call);
  });
}

void GrpcServer::Running::Work() {
  Workspace workspace;
  for (;;) {
    void* tag = nullptr;
    bool succeeded = false;
    switch (queue_->AsyncNext(&tag, &succeeded, GrpcTimeOf(CancelLate()))) {
      case grpc::CompletionQueue::SHUTDOWN:
        return;
      case grpc::CompletionQueue::TIMEOUT:
        break;
      case grpc::CompletionQueue::GOT_EVENT:
        Proceed(*static_cast<Call*>(tag), succeeded, workspace);
        break;
    }
  }
}

void GrpcServer::Running::Proceed(Call& call, bool succeeded, Workspace& workspace) {
  while (call.is_beginning.load(std::memory_order_acquire)) std::this_thread::yield();
  switch (call.phase) {
    case Phase::kAwaited:
      if (!succeeded) {
        End(call);  // the server stops
        return;
      }
      Arrive(call);
      Await();
      return;
    case Phase::kReading:
      Read(call, succeeded, workspace);
      return;
    case Phase::kAnswering:
      // Where the answer did not go out, the peer is gone: nobody was refused.
      if (succeeded && call.lacks_message) intake_.CountRefused(otlp::RefuseReason::kMalformed);
      End(call);
      return;
  }
}

/// False when there are too many.
bool GrpcServer::Running::Admit(Call& call) {
  const std::scoped_lock guard(mutex_);
  const bool has_room = open_.size() < options_.calls;
  call.deadline = std::chrono::steady_clock::now() + options_.call_deadline;
  open_.splice(open_.end(), awaited_, call.place);
  return has_room;
}

void GrpcServer::Running::Arrive(Call& call) {
  if (!Admit(call)) {
    Answer(call, export_.Refuse(
                     {otlp::RefuseReason::kQueueFull,
                      fmt::format("{} calls at once are the most that are taken", options_.calls),
                      kComeAgain}));
    return;
  }
  const std::string& method = call.exchange->context.method();
  if (!otlp::SignalOfGrpcMethod(method)) {
    Answer(call, export_.RefuseMethod(method));
    return;
  }
  Begin(call, Phase::kReading,
        [&call](Exchange& exchange) { exchange.stream.Read(&exchange.message, &call); });
}

void GrpcServer::Running::Read(Call& call, bool has_message, Workspace& workspace) {
  if (!has_message) {
    call.lacks_message = true;
    Finish(call, {grpc::StatusCode::INVALID_ARGUMENT, "the call ended without a message"});
    return;
  }
  const std::size_t most = options_.limits.request_bytes;
  if (const std::size_t size = call.exchange->message.Length(); size > most) {
    Answer(call, export_.Refuse({otlp::RefuseReason::kTooLarge,
                                 fmt::format("the message of {} bytes is longer than the {} that "
                                             "are taken: send smaller batches",
                                             size, most),
                                 std::nullopt}));
    return;
  }
  const auto signal = otlp::SignalOfGrpcMethod(call.exchange->context.method());
  const std::size_t kept = options_.limits.kept_bytes;
  try {
    const std::string_view message = workspace.message.Gather(call.exchange->message);
    const auto reply =
        export_.Take(*signal, CompressionOf(message), message, workspace.decompressor);
    workspace.message.Release(kept);
    workspace.decompressor.Trim(kept);
    Answer(call, reply);
  } catch (const std::exception& exception) {
    log_.Error("Taking a request threw an exception", {{"error", exception.what()}});
    workspace.message.Release(0);
    workspace.decompressor.Release();
    Finish(call, {grpc::StatusCode::INTERNAL, "the server failed"});
  }
}

void GrpcServer::Running::Answer(Call& call, const otlp::ExportReply& reply) {
  if (!reply.status.ok()) {
    Finish(call, StatusOf(reply));
    return;
  }
  const grpc::Slice slice(reply.message);
  Begin(call, Phase::kAnswering, [&](Exchange& exchange) {
    exchange.stream.WriteAndFinish(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(),
                                   grpc::Status::OK, &call);
  });
}

void GrpcServer::Running::Finish(Call& call, const grpc::Status& status) {
  Begin(call, Phase::kAnswering,
        [&](Exchange& exchange) { exchange.stream.Finish(status, &call); });
}

void GrpcServer::Running::End(Call& call) {
  std::unique_ptr<Exchange> ended;  // so that it is not destroyed under the lock
  const std::scoped_lock guard(mutex_);
  ended = std::move(call.exchange);
  unused_.splice(unused_.begin(), call.phase == Phase::kAwaited ? awaited_ : open_, call.place);
  if (open_.empty() && awaited_.empty()) all_ended_.notify_all();
}

/// Cancels what takes too long, and says when to look again.
MonotonicTime GrpcServer::Running::CancelLate() {
  const std::scoped_lock guard(mutex_);
  if (open_.empty()) return MonotonicTime::max();
  const MonotonicTime now = std::chrono::steady_clock::now();
  for (Call* const call : open_) {
    if (call->deadline == MonotonicTime::max()) continue;  // cancelled already
    if (call->deadline > now) return call->deadline;
    call->exchange->context.TryCancel();
    call->deadline = MonotonicTime::max();
  }
  return MonotonicTime::max();
}

GrpcServer::GrpcServer(GrpcServerOptions options, otlp::Intake& intake, const Logger& log)
    : options_(std::move(options)), intake_(intake), log_(log.With({{"server", options_.name}})) {}

GrpcServer::~GrpcServer() { Stop(); }

Status GrpcServer::Start() {
  auto running = std::make_unique<Running>(options_, intake_, log_);
  if (Status started = running->Start(); !started) {
    return Fail(std::move(started).error().Within(options_.name));
  }
  running_ = std::move(running);
  log_.Info("Listened",
            {{"address", options_.address}, {"port", port()}, {"tls", options_.tls != nullptr}});
  return {};
}

void GrpcServer::Drain(Duration patience) {
  if (running_) running_->Drain(patience);
}

std::uint16_t GrpcServer::port() const { return running_ ? running_->port() : 0; }

std::size_t GrpcServer::open_calls() const { return running_ ? running_->open_calls() : 0; }

}  // namespace tracekeeper::ingest
