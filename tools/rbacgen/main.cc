// rbacgen FOLDER writes the operator's RBAC objects, from the table in operator/domain/rights.cc,
// into FOLDER, laid out as the repository: charts/tracekeeper/templates/rbac.yaml. `tools/gen.sh`
// runs it.

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "operator/domain/rights.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: rbacgen FOLDER\n", stderr);
    return 2;
  }
  const auto path = std::filesystem::path(argv[1]) / "charts/tracekeeper/templates/rbac.yaml";
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << "# Generated from operator/domain/rights.cc by `make gen`: change it there.\n"
       << tracekeeper::domain::RightsYaml("tracekeeper-operator", "{{ .Release.Namespace }}");
  file.close();
  if (!error && file) return 0;
  std::fprintf(stderr, "rbacgen: cannot write %s\n", path.c_str());
  return 1;
}
