// A test that never ends: starts a bed with ARGV[1] nodes, writes the bed's folder to the file
// ARGV[2], and waits until bed_end_test kills it.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/bed.h"

int main(int argc, char** argv) {
  using tracekeeper::test_support::Bed;
  if (argc != 3) return 2;
  const auto bed = Bed::Start({.controllers = true, .nodes = std::atoi(argv[1])});
  if (!bed) {
    std::fprintf(stderr, "%s\n", bed.error().message.c_str());
    return 1;
  }
  // Renamed when whole, so that its reader never sees half a path.
  const std::string unfinished = std::string(argv[2]) + ".unfinished";
  std::ofstream(unfinished) << (*bed)->folder().string();
  std::filesystem::rename(unfinished, argv[2]);
  while (true) pause();
}
