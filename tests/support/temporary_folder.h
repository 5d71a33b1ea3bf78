#pragma once
// TemporaryFolder is an empty folder for one test or suite.
//
// Threads:  one.
// Owner:    the test; the folder and what is in it go with the object.
// Failure:  a folder that cannot be made ends the program: no test can go on without.

#include <filesystem>
#include <string>
#include <string_view>

namespace tracekeeper::test_support {

class TemporaryFolder {
 public:
  /// `name` tells who made it, should it ever be left: "tracekeeper-NAME-XXXXXX".
  explicit TemporaryFolder(std::string_view name);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::filesystem::path& file) const {
    return path_ / file;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace tracekeeper::test_support
