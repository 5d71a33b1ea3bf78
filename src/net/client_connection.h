#pragma once
// ClientConnection is one connection to a server, driven by the thread that makes the call: it has
// a loop of its own and no thread. A call sees its deadline and its stop token within a moment.
//
// Threads:  one call at a time, from any thread. Nothing runs between calls.
// Owner:    the transport's pool between calls, the call during one.
// Failure:  after any failed call the connection is of no more use and must be dropped.

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/net/byte_stream.h"
#include "src/net/event_loop.h"
#include "src/net/origin.h"
#include "src/net/response_reader.h"
#include "src/net/transport.h"

namespace tracekeeper::net {

/// How long a call may still take.
struct CallLimits {
  MonotonicTime deadline;
  /// Streams: once the head is there, this silence ends the call, and `deadline` does not.
  std::optional<Duration> idle;
};

/// How a failed call went, for the decision to send it again.
struct CallFailure {
  Error error;
  bool sent_nothing = false;
  bool got_nothing = false;
};

class ClientConnection {
 public:
  /// Connects and shakes hands.
  static Result<std::unique_ptr<ClientConnection>> Open(const Origin& origin, const StreamTls& tls,
                                                        MonotonicTime deadline,
                                                        const StopToken& stop);

  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  /// Sends `head` and `body`, hands the response to `reader`.
  tl::expected<void, CallFailure> Call(std::string_view head, std::string_view body,
                                       ResponseReader& reader, const CallLimits& limits,
                                       const StopToken& stop);

  /// The server has neither closed this idle connection nor said anything unasked.
  [[nodiscard]] bool IsAlive() const;

  [[nodiscard]] MonotonicTime opened_at() const { return opened_at_; }
  [[nodiscard]] MonotonicTime idle_since() const { return idle_since_; }
  void set_idle_since(MonotonicTime now) { idle_since_ = now; }

 private:
  /// One asynchronous operation of the stream, while the caller waits for it.
  struct Operation {
    bool running = false;
    std::error_code error;
    std::size_t size = 0;
    void OnDone(std::error_code result, std::size_t transferred) {
      running = false;
      error = result;
      size = transferred;
    }
    Completion Begin() {
      running = true;
      return Completion::ToBorrowed<&Operation::OnDone>(*this);
    }
  };

  ClientConnection();

  Status ShakeHands(const StreamTls& tls, MonotonicTime deadline, const StopToken& stop);
  Status Await(Operation& operation, MonotonicTime deadline, const StopToken& stop);
  Status ReadAnswer(Operation& write, ResponseReader& reader, const CallLimits& limits,
                    const StopToken& stop);
  void Close();

  EventLoop loop_{1};
  std::unique_ptr<ByteStream> stream_;
  Operation read_;
  Operation write_;
  MonotonicTime opened_at_;
  MonotonicTime idle_since_;
};

}  // namespace tracekeeper::net
