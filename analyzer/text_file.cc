#include "analyzer/text_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace tracekeeper::analyzer {

Result<std::string> ReadTextFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return Fail(ErrorKind::kInvalid, "{}: cannot be opened: is the path right and readable?", file);
  }
  std::string text(kMaxTextBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return Fail(ErrorKind::kInvalid, "{}: cannot be read", file);
  if (text.size() > kMaxTextBytes) {
    return Fail(ErrorKind::kInvalid, "{}: longer than {} MiB", file, kMaxTextBytes >> 20U);
  }
  return text;
}

Result<std::vector<std::string>> FilesOf(const std::string& file_or_folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(file_or_folder, error)) return std::vector{file_or_folder};
  std::vector<std::string> files;
  for (fs::directory_iterator at(file_or_folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string extension = at->path().extension().string();
    const bool is_document = extension == ".yaml" || extension == ".yml" || extension == ".json";
    if (is_document && !at->path().filename().string().starts_with('.')) {
      files.push_back(at->path().string());
    }
  }
  if (error) {
    return Fail(ErrorKind::kInvalid, "{}: cannot be read: {}", file_or_folder, error.message());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace tracekeeper::analyzer
