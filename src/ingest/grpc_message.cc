#include "src/ingest/grpc_message.h"

#include <grpcpp/support/byte_buffer.h>

#include <vector>

namespace tracekeeper::ingest {

struct GrpcMessage::Pieces {
  grpc::Slice whole;
  std::vector<grpc::Slice> slices;
};

GrpcMessage::GrpcMessage() : pieces_(std::make_unique<Pieces>()) {}

GrpcMessage::~GrpcMessage() = default;

std::string_view GrpcMessage::Gather(grpc::ByteBuffer& message) {
  std::vector<grpc::Slice>& slices = pieces_->slices;
  slices.clear();
  const std::size_t size = message.Length();
  if (!message.Dump(&slices).ok()) slices.clear();
  message.Clear();
  if (slices.size() == 1) {
    pieces_->whole = std::move(slices.front());
    return {reinterpret_cast<const char*>(pieces_->whole.begin()), pieces_->whole.size()};
  }
  bytes_.clear();
  bytes_.reserve(size);
  for (grpc::Slice& slice : slices) {
    bytes_.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    slice = grpc::Slice();
  }
  return bytes_;
}

void GrpcMessage::Release(std::size_t kept) {
  pieces_->whole = grpc::Slice();
  if (bytes_.capacity() > kept) bytes_ = {};
}

codec::Compression CompressionOf(std::string_view message) {
  if (message.starts_with("\x1F\x8B")) return codec::Compression::kGzip;
  if (message.starts_with("\x28\xB5\x2F\xFD")) return codec::Compression::kZstd;
  return codec::Compression::kIdentity;
}

}  // namespace tracekeeper::ingest
