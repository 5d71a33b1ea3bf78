// DEPENDS: tracekeeper::codec
//
// A protobuf message of a peer: the fields that are read lie within it, one behind the other, and a
// message that is whole is made of nothing but them. What was read can be written and read again.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "src/codec/protobuf_wire.h"

namespace {

using namespace tracekeeper::codec;

void Require(bool holds) {
  if (!holds) std::abort();
}

void Write(const WireReader& field, WireWriter& writer) {
  switch (field.type()) {
    case WireType::kVarint:
      return writer.Varint(field.field(), field.number());
    case WireType::kFixed64:
      return writer.Fixed64(field.field(), field.number());
    case WireType::kFixed32:
      return writer.Fixed32(field.field(), static_cast<std::uint32_t>(field.number()));
    case WireType::kBytes: {
      const auto message = writer.Begin(field.field());
      writer.Raw(field.bytes());
      return writer.End(message);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  std::string again;
  WireWriter writer(again);
  WireReader reader(message);
  const char* at = message.data();
  while (reader.Next()) {
    Require(reader.raw().data() == at && reader.field() > 0);
    at += reader.raw().size();
    Write(reader, writer);
  }
  if (!reader.Finish()) return 0;
  Require(at == message.data() + message.size());

  WireReader first(message);
  WireReader second(again);
  while (first.Next()) {
    Require(second.Next() && second.Is(first.field(), first.type()));
    Require(second.number() == first.number() && second.bytes() == first.bytes());
  }
  Require(!second.Next() && second.Finish().has_value());
  return 0;
}
