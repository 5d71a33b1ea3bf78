#include "src/otlp/telemetry_import.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "src/codec/json_records.h"
#include "src/otlp/jaeger_json.h"
#include "src/otlp/json_transcoder.h"
#include "src/otlp/zipkin_json.h"

namespace tracekeeper::otlp {
namespace {

using codec::FindJsonMember;
using codec::ForEachJsonElement;

constexpr std::array<std::pair<TelemetryFormat, std::string_view>, 5> kFormats = {
    {{TelemetryFormat::kOtlpJson, "otlp-json"},
     {TelemetryFormat::kOtlpProtobuf, "otlp-protobuf"},
     {TelemetryFormat::kJaeger, "jaeger"},
     {TelemetryFormat::kZipkin, "zipkin"},
     {TelemetryFormat::kTempo, "tempo"}}};

/// A file may be larger than any request that a server takes.
constexpr std::size_t kNoLimit = std::size_t{1} << 40U;
constexpr std::size_t kLengthBytes = 4;

std::string_view OrNull(const std::optional<std::string_view>& json) { return json.value_or("{}"); }

/// The member, where the object has it and can be read so far.
std::optional<std::string_view> Member(std::string_view object, std::string_view name) {
  const auto found = FindJsonMember(object, name);
  return found ? *found : std::nullopt;
}

class Import {
 public:
  Import(std::string_view text, const ImportOptions& options, TelemetrySink& sink)
      : text_(text), options_(options), sink_(sink) {}

  Result<ImportedTelemetry> Run() {
    const std::size_t first = text_.find_first_not_of(" \n\r\t");
    const bool looks_like_json =
        first != std::string_view::npos && (text_[first] == '{' || text_[first] == '[');
    const bool is_protobuf =
        options_.format ? *options_.format == TelemetryFormat::kOtlpProtobuf : !looks_like_json;
    const Status read = is_protobuf ? ImportProtobuf() : ImportJson();
    // Any bytes that are no JSON end here: the user may never have thought of protobuf.
    if (!read && is_protobuf && !options_.format) {
      return Fail(Error(read.error()).Within("neither JSON nor OTLP in protobuf"));
    }
    TRY(read);
    result_.format = options_.format.value_or(found_.value_or(TelemetryFormat::kOtlpJson));
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::size_t OffsetOf(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - text_.data());
  }
  void Reject(std::string_view record, std::string reason) {
    result_.rejected.push_back({OffsetOf(record), std::move(reason)});
  }
  void Found(TelemetryFormat format) {
    if (!found_) found_ = format;
  }
  void Progress(std::string_view reached) const {
    if (options_.on_progress) options_.on_progress(OffsetOf(reached) + reached.size());
  }

  // --- protobuf -----------------------------------------------------------------------------

  Status Send(std::string_view request) {
    return options_.protobuf_is_logs ? sink_.OnLogs(request) : sink_.OnTraces(request);
  }

  [[nodiscard]] std::size_t LengthAt(std::size_t at) const {
    std::size_t length = 0;
    for (const char byte : text_.substr(at, kLengthBytes)) {
      length = length << 8U | static_cast<unsigned char>(byte);
    }
    return length;
  }

  /// A request begins with the tag of its first field, a length of four bytes with a zero: no
  /// request of 16 MiB or more is written so.
  Status ImportProtobuf() {
    Found(TelemetryFormat::kOtlpProtobuf);
    const bool has_lengths = text_.size() > kLengthBytes && text_.front() == '\0';
    if (!has_lengths) {
      if (text_.empty()) return {};
      TRY(Send(text_));
      Progress(text_);
      return {};
    }
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t length = LengthAt(at);
      if (text_.size() - at < kLengthBytes || text_.size() - at - kLengthBytes < length) {
        Reject(text_.substr(at), "the request that begins here does not end");
        return {};
      }
      const std::string_view request = text_.substr(at + kLengthBytes, length);
      if (const Status sent = Send(request); !sent) Reject(request, sent.error().message);
      at += kLengthBytes + length;
      Progress(request);
    }
    return {};
  }

  // --- JSON ---------------------------------------------------------------------------------

  Status ImportJson() {
    std::size_t documents = 0;
    std::size_t reached = 0;  // behind the last document
    const Status read = codec::ForEachJsonDocument(
        text_, [&](std::size_t offset, std::string_view document) -> Status {
          ++documents;
          reached = offset + document.size();
          ImportValue(document);
          Progress(document);
          return {};
        });
    if (!read && documents == 0 && result_.rejected.empty()) return Fail(read.error());
    if (!read) Reject(text_.substr(reached), read.error().message);
    if (!found_ && documents > 0) {
      const std::string reason =
          result_.rejected.empty() ? "" : ": " + result_.rejected.front().reason;
      return Fail(ErrorKind::kDecode, "nothing in it is telemetry in a known format{}", reason);
    }
    return {};
  }

  void ImportValue(std::string_view value) {
    if (value.starts_with('[')) {
      ImportElements(value, [this](std::string_view element) { ImportValue(element); });
    } else if (value.starts_with('{')) {
      ImportObject(value);
    } else {
      Reject(value, "is no object");
    }
  }

  template <typename Use>
  void ImportElements(std::string_view array, Use use) {
    const Status read =
        ForEachJsonElement(array, [&](std::size_t, std::string_view element) -> Status {
          use(element);
          Progress(element);
          return {};
        });
    if (!read) Reject(array, read.error().message);
  }

  void ImportObject(std::string_view object) {
    for (const std::string_view wrapper : {"trace", "result"}) {
      const auto inner = Member(object, wrapper);
      if (inner && inner->starts_with('{')) {
        if (wrapper == "trace") Found(TelemetryFormat::kTempo);
        ImportObject(*inner);
        return;
      }
    }
    if (const auto logs = Member(object, "resourceLogs")) ImportLogs(*logs);
    if (const auto batches = Member(object, "batches")) {
      Found(TelemetryFormat::kTempo);
      ImportSpans(*batches);
    } else if (const auto spans = Member(object, "resourceSpans")) {
      Found(TelemetryFormat::kOtlpJson);
      ImportSpans(*spans);
    } else if (const auto data = Member(object, "data")) {
      Found(TelemetryFormat::kJaeger);
      ImportElements(*data, [this](std::string_view trace) { ImportJaeger(trace); });
    } else if (Member(object, "traceID") && Member(object, "spans")) {
      Found(TelemetryFormat::kJaeger);
      ImportJaeger(object);
    } else if (Member(object, "traceId") && Member(object, "id")) {
      ImportZipkin(object);
    } else if (!Member(object, "resourceLogs")) {
      Reject(object, "holds none of resourceSpans, resourceLogs, batches, data, traceId");
    }
  }

  void ImportJaeger(std::string_view trace) {
    requests_.clear();
    const Status read = TranscodeJaegerTrace(
        trace, [&](const Error& reason) { Reject(trace, reason.message); }, requests_);
    Deliver(trace, read);
  }

  void ImportZipkin(std::string_view span) {
    Found(TelemetryFormat::kZipkin);
    requests_.clear();
    const auto read = TranscodeZipkinSpan(span, requests_);
    Deliver(span, read ? Status() : Fail(read.error()));
  }

  void Deliver(std::string_view record, Status read) {
    if (read) read = sink_.OnTraces(requests_);
    if (!read) Reject(record, read.error().message);
  }

  void ImportLogs(std::string_view resource_logs) {
    Found(TelemetryFormat::kOtlpJson);
    ImportElements(resource_logs, [this](std::string_view element) {
      requests_.clear();
      Status read = TranscodeJson(Signal::kLogs, fmt::format(R"({{"resourceLogs":[{}]}})", element),
                                  kNoLimit, requests_, JsonIds::kAny);
      if (read) read = sink_.OnLogs(requests_);
      if (!read) Reject(element, read.error().message);
    });
  }

  void ImportSpans(std::string_view resource_spans) {
    ImportElements(resource_spans, [this](std::string_view element) {
      if (const Status read = SendSpans(element); !read) ImportOneByOne(element);
    });
  }

  Status SendSpans(std::string_view resource_spans) {
    requests_.clear();
    TRY(TranscodeJson(Signal::kTraces, fmt::format(R"({{"resourceSpans":[{}]}})", resource_spans),
                      kNoLimit, requests_, JsonIds::kAny));
    return sink_.OnTraces(requests_);
  }

  /// One damaged span must not take its whole batch with it.
  void ImportOneByOne(std::string_view element) {
    const std::string_view resource = OrNull(Member(element, "resource"));
    bool has_scopes = false;
    for (const std::string_view name : {"scopeSpans", "instrumentationLibrarySpans"}) {
      const auto scopes = Member(element, name);
      if (!scopes) continue;
      has_scopes = true;
      ImportElements(*scopes, [&](std::string_view scope) { ImportScope(resource, scope); });
    }
    if (!has_scopes) Reject(element, "has no readable scopeSpans");
  }

  void ImportScope(std::string_view resource, std::string_view scope_spans) {
    const auto spans = Member(scope_spans, "spans");
    if (!spans) {
      Reject(scope_spans, "has no readable spans");
      return;
    }
    auto scope = Member(scope_spans, "scope");
    if (!scope) scope = Member(scope_spans, "instrumentationLibrary");
    ImportElements(*spans, [&](std::string_view span) {
      const Status read =
          SendSpans(fmt::format(R"({{"resource":{},"scopeSpans":[{{"scope":{},"spans":[{}]}}]}})",
                                resource, OrNull(scope), span));
      if (!read) Reject(span, read.error().message);
    });
  }

  const std::string_view text_;
  const ImportOptions& options_;
  TelemetrySink& sink_;
  ImportedTelemetry result_;
  std::optional<TelemetryFormat> found_;
  std::string requests_;
};

}  // namespace

std::string_view NameOf(TelemetryFormat format) {
  for (const auto& [known, name] : kFormats) {
    if (known == format) return name;
  }
  return "";
}

std::optional<TelemetryFormat> TelemetryFormatNamed(std::string_view name) {
  for (const auto& [format, known] : kFormats) {
    if (known == name) return format;
  }
  return std::nullopt;
}

Result<ImportedTelemetry> ImportTelemetry(std::string_view text, const ImportOptions& options,
                                          TelemetrySink& sink) {
  return Import(text, options, sink).Run();
}

}  // namespace tracekeeper::otlp
