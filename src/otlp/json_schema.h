#pragma once
// The messages of OTLP as tables: which JSON member is which protobuf field, of which type. Only
// the transcoder reads them.
//
// Threads:  constants.
// Source:   opentelemetry-proto v1.9.0.

#include <cstdint>
#include <span>
#include <string_view>

#include "src/otlp/signal.h"

namespace tracekeeper::otlp {

enum class FieldType : std::uint8_t {
  kString,
  kBool,
  kDouble,
  kFixed32,
  kFixed64,
  kSFixed64,
  kUint32,
  kUint64,
  kInt64,
  kSint32,
  kEnum,
  kHex,     // bytes: a trace or span id
  kBase64,  // bytes
  kMessage,
};

struct MessageSchema;

struct EnumName {
  std::string_view name;
  std::uint64_t value;
};

struct FieldSchema {
  std::string_view name;  // the JSON member
  std::uint32_t number;
  FieldType type;
  bool repeated = false;
  const MessageSchema* message = nullptr;
  std::span<const EnumName> names = {};
};

struct MessageSchema {
  std::span<const FieldSchema> fields;
};

/// Export...ServiceRequest of that signal.
const MessageSchema& RequestSchema(Signal signal);

/// Null for a name that the message does not have.
const FieldSchema* FindField(const MessageSchema& message, std::string_view name);

}  // namespace tracekeeper::otlp
