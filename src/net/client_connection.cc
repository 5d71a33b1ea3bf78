#include "src/net/client_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stop_token>
#include <utility>

namespace tracekeeper::net {

namespace {

MonotonicTime Now() { return std::chrono::steady_clock::now(); }

std::string AddressText(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.storage.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr,
              text.data(), text.size());
  } else {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr,
              text.data(), text.size());
  }
  return text.data();
}

/// A dead path is noticed by the kernel even where no deadline of ours runs (an idle watch).
void SetSocketOptions(int descriptor) {
  constexpr int kOn = 1;
  constexpr int kIdleSeconds = 30;
  constexpr int kIntervalSeconds = 10;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &kOn, sizeof kOn);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &kIdleSeconds, sizeof kIdleSeconds);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &kIntervalSeconds, sizeof kIntervalSeconds);
}

}  // namespace

ClientConnection::ClientConnection() : opened_at_(Now()), idle_since_(opened_at_) {}

ClientConnection::~ClientConnection() { Close(); }

Result<std::unique_ptr<ClientConnection>> ClientConnection::Open(const Origin& origin,
                                                                 const StreamTls& tls,
                                                                 MonotonicTime deadline,
                                                                 const StopToken& stop) {
  const auto addresses = TRY(LookUp(origin.host, origin.port, deadline, stop));
  std::unique_ptr<ClientConnection> connection(new ClientConnection());
  Status last = Fail(ErrorKind::kUnavailable, "the name {} has no address", origin.host);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    // A silent address leaves time for the ones behind it.
    const Duration share = (deadline - Now()) / static_cast<int>(addresses.size() - i);
    last = connection->ConnectTo(addresses[i], tls, Now() + share, stop);
    if (last) break;
    if (last.error().kind == ErrorKind::kCancelled) break;
  }
  TRY(std::move(last));
  TRY(connection->ShakeHands(tls, deadline, stop));
  return connection;
}

Status ClientConnection::ConnectTo(const SocketAddress& address, const StreamTls& tls,
                                   MonotonicTime deadline, const StopToken& stop) {
  const int descriptor =
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    return Fail(ErrorKind::kUnavailable, "open a socket: {}", std::strerror(errno));
  }
  SetSocketOptions(descriptor);
  int error = 0;
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address.storage), address.size) !=
      0) {
    error = errno;
  }
  Close();
  stream_ = MakeByteStream(loop_, descriptor, tls);
  if (error == EINPROGRESS) {
    stream_->WaitWritable(write_.Begin());
    if (Status decided = Await(write_, deadline, stop); !decided) {
      return Fail(
          std::move(decided).error().Within(fmt::format("connect to {}", AddressText(address))));
    }
    socklen_t size = sizeof error;
    ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0) {
    return Fail(ErrorKind::kUnavailable, "connect to {}: {}", AddressText(address),
                std::strerror(error));
  }
  return {};
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
    return Fail(ErrorKind::kUnavailable, "the certificate shown for {} is refused: {}",
                tls.expected_peer, about_peer);
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
