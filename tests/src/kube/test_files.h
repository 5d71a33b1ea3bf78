#pragma once
// A folder of small files that ends with the test.

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace tracekeeper::kube {

class TestFiles {
 public:
  TestFiles() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tracekeeper-kube-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~TestFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TestFiles(const TestFiles&) = delete;
  TestFiles& operator=(const TestFiles&) = delete;

  /// Writes the file and gives its path.
  std::string Write(std::string_view name, std::string_view text) const {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  [[nodiscard]] std::string Path(std::string_view name) const { return (folder_ / name).string(); }
  void Remove(std::string_view name) const { std::filesystem::remove(folder_ / name); }

 private:
  std::filesystem::path folder_;
};

}  // namespace tracekeeper::kube
