#include "src/net/byte_stream.h"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <tuple>
#include <utility>

namespace tracekeeper::net {

namespace asio = boost::asio;

namespace {

using Strand = asio::strand<asio::io_context::executor_type>;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Strand>;

/// Carries a Completion through Asio. Asio's handlers must be copyable types of their own.
class Handler {
 public:
  explicit Handler(Completion completion) : completion_(std::move(completion)) {}
  void operator()(const boost::system::error_code& error, std::size_t size = 0) const {
    completion_(error, size);
  }

 private:
  Completion completion_;
};

Socket AdoptSocket(EventLoop& loop, int descriptor) {
  // The protocol only names the family for later calls of open(), which there are none of.
  return {asio::make_strand(loop.context().get_executor()), asio::ip::tcp::v4(), descriptor};
}

/// What plain and TLS streams share: everything about the socket itself.
template <typename Stream>
class SocketStream : public ByteStream {
 public:
  explicit SocketStream(Stream stream) : stream_(std::move(stream)) {}

  void Post(Completion completion) override {
    asio::post(stream_.get_executor(),
               [completion = std::move(completion)] { completion(std::error_code(), 0); });
  }

  void WaitReadable(Completion completion) override {
    socket().async_wait(Socket::wait_read, Handler(std::move(completion)));
  }

  void WaitWritable(Completion completion) override {
    socket().async_wait(Socket::wait_write, Handler(std::move(completion)));
  }

  void ReadSome(std::span<char> space, Completion completion) override {
    stream_.async_read_some(asio::buffer(space.data(), space.size()),
                            Handler(std::move(completion)));
  }

  void WriteAll(std::string_view first, std::string_view second, Completion completion) override {
    const std::array<asio::const_buffer, 2> pieces{asio::buffer(first.data(), first.size()),
                                                   asio::buffer(second.data(), second.size())};
    asio::async_write(stream_, pieces, Handler(std::move(completion)));
  }

  void EndSending() override {
    boost::system::error_code ignored;
    std::ignore = socket().shutdown(Socket::shutdown_send, ignored);
  }

  void Close() override {
    boost::system::error_code ignored;
    std::ignore = socket().close(ignored);
  }

  void Reset() override {
    boost::system::error_code ignored;
    std::ignore = socket().set_option(asio::socket_base::linger(true, 0), ignored);
    std::ignore = socket().close(ignored);
  }

  [[nodiscard]] int descriptor() const override {
    return const_cast<SocketStream*>(this)->socket().native_handle();
  }

 protected:
  [[nodiscard]] auto& socket() { return stream_.lowest_layer(); }

  Stream stream_;
};

class PlainStream final : public SocketStream<Socket> {
 public:
  using SocketStream::SocketStream;

  void Handshake(Completion completion) override { Post(std::move(completion)); }
  [[nodiscard]] std::string PeerVerificationFailure() const override { return {}; }
  [[nodiscard]] std::string NegotiatedProtocol() const override { return {}; }

  void Shutdown(Completion completion) override {
    EndSending();
    Post(std::move(completion));
  }

  [[nodiscard]] bool is_tls() const override { return false; }
};

/// Asio's view of a context that TlsContext owns.
asio::ssl::context Share(const crypto::TlsContext& context) {
  SSL_CTX_up_ref(context.native());
  return asio::ssl::context(context.native());
}

class TlsStream final : public SocketStream<asio::ssl::stream<Socket>> {
 public:
  TlsStream(asio::ssl::stream<Socket> stream, StreamTls tls)
      : SocketStream(std::move(stream)), tls_(std::move(tls)) {}

  void Handshake(Completion completion) override {
    using Side = asio::ssl::stream_base;
    if (tls_.expected_peer.empty()) {
      stream_.async_handshake(Side::server, Handler(std::move(completion)));
      return;
    }
    if (!tls_.protocol.empty()) {
      // A list of names, each behind its length.
      const std::string list = static_cast<char>(tls_.protocol.size()) + tls_.protocol;
      SSL_set_alpn_protos(stream_.native_handle(),
                          reinterpret_cast<const unsigned char*>(list.data()),
                          static_cast<unsigned>(list.size()));
    }
    if (const Status expected = crypto::ExpectPeer(stream_.native_handle(), tls_.expected_peer);
        !expected) {
      asio::post(stream_.get_executor(), [completion = std::move(completion)] {
        completion(std::make_error_code(std::errc::invalid_argument), 0);
      });
      return;
    }
    stream_.async_handshake(Side::client, Handler(std::move(completion)));
  }

  [[nodiscard]] std::string PeerVerificationFailure() const override {
    return crypto::PeerVerificationFailure(
        const_cast<asio::ssl::stream<Socket>&>(stream_).native_handle());
  }

  [[nodiscard]] std::string NegotiatedProtocol() const override {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(const_cast<asio::ssl::stream<Socket>&>(stream_).native_handle(), &name,
                           &size);
    return {reinterpret_cast<const char*>(name), size};
  }

  void Shutdown(Completion completion) override {
    stream_.async_shutdown(Handler(std::move(completion)));
  }

  [[nodiscard]] bool is_tls() const override { return true; }

 private:
  const StreamTls tls_;
};

}  // namespace

std::unique_ptr<ByteStream> MakeByteStream(EventLoop& loop, int descriptor, const StreamTls& tls) {
  Socket socket = AdoptSocket(loop, descriptor);
  if (!tls.context) return std::make_unique<PlainStream>(std::move(socket));
  asio::ssl::context context = Share(*tls.context);
  return std::make_unique<TlsStream>(asio::ssl::stream<Socket>(std::move(socket), context), tls);
}

bool AtEnd(const std::error_code& error) {
  return error == std::error_code(boost::system::error_code(asio::error::eof));
}

}  // namespace tracekeeper::net
