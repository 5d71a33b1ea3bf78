// crdgen REPOSITORY FOLDER writes what is made from operator/api into FOLDER, laid out as the
// repository: crds/, docs/reference/ and the CRDs in the templates of both charts. `tools/gen.sh`
// runs it.

#include <fmt/core.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tools/crdgen/crd_document.h"
#include "tools/crdgen/reference.h"

namespace tracekeeper::crdgen {
namespace {

namespace fs = std::filesystem;

Status WriteFile(const fs::path& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (error || !file) return Fail(ErrorKind::kUnavailable, "cannot write {}", path.string());
  fmt::print("{} ({} bytes)\n", path.string(), text.size());
  return {};
}

// The example that the reference page begins with; tests apply it to a real API server.
Result<std::string> ReadExample(const fs::path& repository, const CustomResource& resource) {
  const fs::path path = repository / "docs/examples" / fmt::format("{}.yaml", resource.singular);
  std::ifstream file(path, std::ios::binary);
  if (!file) return Fail(ErrorKind::kNotFound, "cannot read {}", path.string());
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Status Generate(const fs::path& repository, const fs::path& folder) {
  for (const CustomResource& resource : CustomResources()) {
    const std::string file_name = fmt::format("{}_{}.yaml", resource.group, resource.plural);
    TRY(WriteFile(folder / "crds" / file_name, TRY(CrdYaml(resource))));
    for (const CrdChart& chart : {kCrdsChart, kOperatorChart}) {
      TRY(WriteFile(folder / "charts" / chart.folder / file_name,
                    TRY(CrdTemplate(resource, chart))));
    }
    const std::string example = TRY(ReadExample(repository, resource));
    TRY(WriteFile(folder / "docs/reference" / fmt::format("{}.md", resource.singular),
                  ReferencePage(resource, example)));
  }
  return {};
}

}  // namespace
}  // namespace tracekeeper::crdgen

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: crdgen REPOSITORY FOLDER\n");
    return 2;
  }
  const auto done = tracekeeper::crdgen::Generate(argv[1], argv[2]);
  if (!done) {
    fmt::print(stderr, "crdgen: {}\n", done.error().message);
    return 1;
  }
  return 0;
}
