#pragma once
// Where in this process's writable memory some bytes stand: the proof that a secret is gone. The
// scan's own copy of what it looks for is masked, so it does not find itself.
//
// Threads:  one; what other threads write meanwhile may or may not be seen.

#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace tracekeeper::vault {

class MaskedBytes {
 public:
  explicit MaskedBytes(std::string_view bytes) : masked_(bytes.size(), '\0') {
    std::transform(bytes.begin(), bytes.end(), masked_.begin(), Mask);
  }
  [[nodiscard]] std::size_t size() const { return masked_.size(); }

  /// How often they stand in `memory`.
  [[nodiscard]] std::size_t CountIn(std::string_view memory) const {
    std::size_t count = 0;
    const char first = Mask(masked_.front());
    for (std::size_t at = memory.find(first); at != std::string_view::npos;
         at = memory.find(first, at + 1)) {
      if (memory.size() - at < masked_.size()) break;
      count += std::equal(masked_.begin(), masked_.end(), memory.begin() + static_cast<long>(at),
                          [](char masked, char plain) { return masked == Mask(plain); })
                   ? 1
                   : 0;
    }
    return count;
  }

 private:
  static char Mask(char c) { return static_cast<char>(c ^ 0x5a); }
  std::string masked_;
};

/// The places of `bytes`, each with the mapping it is in: "1 in [heap]".
inline std::vector<std::string> FindInMemory(const MaskedBytes& bytes) {
  std::vector<std::string> found;
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::ifstream maps("/proc/self/maps");
  std::vector<std::string> lines;
  for (std::string line; std::getline(maps, line);) lines.push_back(line);
  for (const std::string& line : lines) {
    unsigned long begin = 0;
    unsigned long end = 0;
    char mode[8] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %7s", &begin, &end, mode) != 3) continue;
    if (mode[0] != 'r' || mode[1] != 'w' || end - begin > (512UL << 20U)) continue;
    // Read to memory that is unmapped after each mapping, not to the heap that is looked at.
    std::vector<char> copy(end - begin);
    const ssize_t size = ::pread(memory, copy.data(), copy.size(), static_cast<off_t>(begin));
    if (size <= 0) continue;
    const std::size_t count =
        bytes.CountIn(std::string_view(copy.data(), static_cast<std::size_t>(size)));
    explicit_bzero(copy.data(), copy.size());
    if (count > 0) found.push_back(std::to_string(count) + " in " + line);
  }
  ::close(memory);
  return found;
}

}  // namespace tracekeeper::vault
