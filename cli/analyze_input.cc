#include "cli/analyze_input.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <istream>
#include <iterator>
#include <system_error>

#include "src/codec/compression.h"

namespace tracekeeper::cli {
namespace {

/// A file on a user's own disk, but no bomb: 16 GiB is more than fits into memory as spans.
constexpr std::size_t kMaxDecompressed = std::size_t{16} << 30U;

class RecordingSink final : public otlp::TelemetrySink {
 public:
  explicit RecordingSink(continuity::Recording& recording) : recording_(recording) {}

  Status OnTraces(std::string_view request) override { return recording_.AddTraces(request); }
  Status OnLogs(std::string_view request) override { return recording_.AddLogs(request); }

 private:
  continuity::Recording& recording_;
};

Result<std::string> ReadWhole(const std::string& file, std::istream& standard_input) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(standard_input), {});
  std::error_code problem;
  if (std::filesystem::is_directory(file, problem)) {
    return Fail(ErrorKind::kInvalid, "is a folder: name the files in it");
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) return Fail(ErrorKind::kInvalid, "cannot be opened: {}", std::strerror(errno));
  std::string text;
  if (std::filesystem::is_regular_file(file, problem)) {
    text.reserve(std::filesystem::file_size(file, problem));
  }
  text.assign(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) return Fail(ErrorKind::kInvalid, "cannot be read: {}", std::strerror(errno));
  return text;
}

std::optional<codec::Compression> CompressionOf(std::string_view text) {
  if (text.starts_with("\x1f\x8b")) return codec::Compression::kGzip;
  if (text.starts_with("\x28\xb5\x2f\xfd")) return codec::Compression::kZstd;
  return std::nullopt;
}

std::size_t CountRecords(const continuity::Recording& recording) {
  return recording.spans().size() + recording.invalid_spans().size() + recording.logs().size();
}

Result<AnalyzedInput> ReadUnnamed(const AnalyzeSource& source, std::istream& standard_input,
                                  const OnRead& on_read, continuity::Recording& recording) {
  std::string text = TRY(ReadWhole(source.file, standard_input));
  codec::Decompressor decompressor;
  if (const auto compression = CompressionOf(text)) {
    text = TRY(decompressor.Decompress(*compression, text, kMaxDecompressed));
    decompressor.Release();
  }
  if (text.find_first_not_of(" \n\r\t") == std::string::npos) {
    return Fail(ErrorKind::kInvalid, "is empty: there is nothing to judge");
  }
  RecordingSink sink(recording);
  const std::size_t before = CountRecords(recording);
  otlp::ImportOptions options;
  options.format = source.format;
  options.protobuf_is_logs = source.holds_logs;
  if (on_read) {
    options.on_progress = [&](std::size_t bytes) { on_read(source.file, bytes, text.size()); };
  }
  auto imported = TRY(otlp::ImportTelemetry(text, options, sink));
  return AnalyzedInput{.file = source.file,
                       .format = imported.format,
                       .rows = CountRecords(recording) - before,
                       .rejected = std::move(imported.rejected)};
}

}  // namespace

Result<AnalyzedInput> ReadTelemetry(const AnalyzeSource& source, std::istream& standard_input,
                                    const OnRead& on_read, continuity::Recording& recording) {
  auto input = ReadUnnamed(source, standard_input, on_read, recording);
  if (!input) {
    const bool is_input = source.file == "-";
    return Fail(std::move(input).error().Within(is_input ? "standard input" : source.file));
  }
  return input;
}

}  // namespace tracekeeper::cli
