// Prints the operator's RBAC objects as YAML, from the table in operator/domain/rights.cc.
//   rbacgen NAME NAMESPACE

#include <cstdio>

#include "operator/domain/rights.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: rbacgen NAME NAMESPACE\n", stderr);
    return 2;
  }
  std::fputs(tracekeeper::domain::RightsYaml(argv[1], argv[2]).c_str(), stdout);
  return 0;
}
