#pragma once
// GrpcMessage gives the bytes of a message that gRPC holds in pieces, and tells how they are
// compressed.
//
// Threads:  one thread at a time; each of a server's has its own.
// Owner:    a server's thread. The view dies with the next Gather or the message.

#include <memory>
#include <string>
#include <string_view>

#include "src/codec/compression.h"

namespace grpc {
class ByteBuffer;
}  // namespace grpc

namespace tracekeeper::ingest {

class GrpcMessage {
 public:
  GrpcMessage();
  ~GrpcMessage();
  GrpcMessage(const GrpcMessage&) = delete;
  GrpcMessage& operator=(const GrpcMessage&) = delete;

  /// Of one piece as it stands, of several copied together into a buffer that is used again.
  /// Takes the message's memory over, so that there are never two copies for long.
  [[nodiscard]] std::string_view Gather(grpc::ByteBuffer& message);
  /// Gives back what is larger than `kept` bytes.
  void Release(std::size_t kept);

 private:
  struct Pieces;
  std::unique_ptr<Pieces> pieces_;
  std::string bytes_;
};

/// gRPC's library tells nobody whether a message that it did not decompress is compressed, but no
/// OTLP request begins as gzip or zstd do: its one field makes 0x0A its first byte.
[[nodiscard]] codec::Compression CompressionOf(std::string_view message);

}  // namespace tracekeeper::ingest
