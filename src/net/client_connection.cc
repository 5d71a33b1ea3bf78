#include "src/net/client_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stop_token>
#include <utility>

#include "src/net/connect_socket.h"

namespace tracekeeper::net {

namespace {

MonotonicTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

ClientConnection::ClientConnection() : opened_at_(Now()), idle_since_(opened_at_) {}

ClientConnection::~ClientConnection() { Close(); }

Result<std::unique_ptr<ClientConnection>> ClientConnection::Open(const Origin& origin,
                                                                 const StreamTls& tls,
                                                                 MonotonicTime deadline,
                                                                 const StopToken& stop) {
  const int descriptor = TRY(ConnectSocket(origin, deadline, stop));
  std::unique_ptr<ClientConnection> connection(new ClientConnection());
  connection->stream_ = MakeByteStream(connection->loop_, descriptor, tls);
  TRY(connection->ShakeHands(tls, deadline, stop));
  return connection;
}

Status ClientConnection::ShakeHands(const StreamTls& tls, MonotonicTime deadline,
                                    const StopToken& stop) {
  if (!tls.context) return {};
  stream_->Handshake(write_.Begin());
  if (Status done = Await(write_, deadline, stop); !done) {
    return Fail(std::move(done).error().Within("TLS handshake"));
  }
  if (!write_.error) return {};
  const std::string about_peer = stream_->PeerVerificationFailure();
  if (!about_peer.empty()) {
    return Fail(
        {ErrorKind::kUnavailable,
         fmt::format("the certificate shown for {} is refused: {}", tls.expected_peer, about_peer),
         std::nullopt, kCertificateRefused});
  }
  return Fail(ErrorKind::kUnavailable, "TLS handshake with {}: {}", tls.expected_peer,
              AtEnd(write_.error) ? "the server closed the connection" : write_.error.message());
}

Status ClientConnection::Await(Operation& operation, MonotonicTime deadline,
                               const StopToken& stop) {
  const std::stop_callback wake(stop, [this] { loop_.Wake(); });
  while (operation.running) {
    if (stop.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
    if (Now() >= deadline) return Fail(ErrorKind::kTimeout, "no answer in time");
    loop_.RunOnce(deadline);
  }
  return {};
}

tl::expected<void, CallFailure> ClientConnection::Call(std::string_view head, std::string_view body,
                                                       ResponseReader& reader,
                                                       const CallLimits& limits,
                                                       const StopToken& stop) {
  stream_->WriteAll(head, body, write_.Begin());
  Status answered = ReadAnswer(write_, reader, limits, stop);
  const bool wrote_all = !write_.running && !write_.error;
  if (!answered) {
    Close();  // ends what is under way, so the caller's bytes are no longer in use
    return tl::unexpected(CallFailure{std::move(answered).error(),
                                      !wrote_all && write_.error && write_.size == 0,
                                      !reader.got_bytes()});
  }
  // A server may answer before it has read the body (413); the rest is not sent then.
  if (!wrote_all || !reader.reusable()) Close();
  return {};
}

Status ClientConnection::ReadAnswer(Operation& write, ResponseReader& reader,
                                    const CallLimits& limits, const StopToken& stop) {
  for (;;) {
    const bool by_silence = limits.idle && reader.head_done();
    stream_->ReadSome(reader.Space(), read_.Begin());
    TRY(Await(read_, by_silence ? Now() + *limits.idle : limits.deadline, stop));

    if (AtEnd(read_.error)) {
      if (TRY(reader.CommitEnd()) == ResponseReader::Progress::kComplete) return {};
    }
    if (read_.error) {
      // The write knows better why the server cut us off before it said anything.
      const bool write_failed = !write.running && write.error && !reader.got_bytes();
      return Fail(ErrorKind::kUnavailable, "the connection broke: {}",
                  (write_failed ? write.error : read_.error).message());
    }
    if (TRY(reader.Commit(read_.size)) == ResponseReader::Progress::kComplete) return {};
    if (stop.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
    if (!by_silence && !(limits.idle && reader.head_done()) && Now() >= limits.deadline) {
      return Fail(ErrorKind::kTimeout, "no complete answer in time");
    }
  }
}

bool ClientConnection::IsAlive() const {
  if (!stream_) return false;
  char byte = 0;
  const ssize_t count = ::recv(stream_->descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void ClientConnection::Close() {
  if (!stream_) return;
  stream_->Close();
  // Closing ends every operation, but their completions still have to be called: they point here.
  while (read_.running || write_.running) loop_.RunOnce(Now() + std::chrono::seconds(1));
  stream_.reset();
}

}  // namespace tracekeeper::net
