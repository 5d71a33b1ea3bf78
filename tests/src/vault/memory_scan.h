#pragma once
// Where in this process's writable memory some bytes stand: the proof that a secret is gone. The
// scan's own copy of what it looks for is masked, so it does not find itself.
//
// Threads:  one; what other threads write meanwhile may or may not be seen.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
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

/// Memory of the scan's own, outside of the heap: an allocation would overwrite what was freed
/// last, which is where a secret that was not wiped stands.
class ScanMemory {
 public:
  explicit ScanMemory(std::size_t size)
      : data_(static_cast<char*>(
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
        size_(size) {}
  ~ScanMemory() { ::munmap(data_, size_); }
  ScanMemory(const ScanMemory&) = delete;
  ScanMemory& operator=(const ScanMemory&) = delete;

  [[nodiscard]] char* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool Holds(std::uintptr_t address) const {
    const auto begin = reinterpret_cast<std::uintptr_t>(data_);
    return address >= begin && address < begin + size_;
  }

 private:
  char* data_;
  std::size_t size_;
};

/// How often `bytes` stand between two addresses, read piece by piece.
inline std::size_t CountBetween(int memory, std::uintptr_t begin, std::uintptr_t end,
                                const MaskedBytes& bytes, const ScanMemory& piece) {
  std::size_t count = 0;
  for (std::uintptr_t at = begin; at < end;) {
    const std::size_t wanted = std::min<std::size_t>(piece.size(), end - at);
    const ssize_t size = ::pread(memory, piece.data(), wanted, static_cast<off_t>(at));
    if (size <= 0) return count;
    const auto length = static_cast<std::size_t>(size);
    count += bytes.CountIn(std::string_view(piece.data(), length));
    // Pieces overlap, so that nothing is missed between two.
    at += at + length < end && length > bytes.size() ? length - bytes.size() + 1 : length;
  }
  return count;
}

/// The mappings that hold `bytes`, and how often: "1 in ... [heap]".
inline std::vector<std::string> FindInMemory(const MaskedBytes& bytes) {
  const ScanMemory piece(1U << 20U);
  const ScanMemory lines(1U << 20U);
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  const int maps = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  std::size_t length = 0;
  for (ssize_t size = 1; size > 0 && length + 1 < lines.size();
       length += static_cast<std::size_t>(size)) {
    size = ::read(maps, lines.data() + length, lines.size() - 1 - length);
    if (size < 0) break;
  }
  ::close(maps);
  std::vector<std::string> found;
  const std::string_view text(lines.data(), length);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t line_end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, line_end - at);
    at = line_end + 1;
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    const char* const last = line.data() + line.size();
    const auto first_number = std::from_chars(line.data(), last, begin, 16);
    const auto second_number = std::from_chars(first_number.ptr + 1, last, end, 16);
    const std::string_view mode(second_number.ptr + 1, 2);
    const bool is_ours = piece.Holds(begin) || lines.Holds(begin) || begin == end;
    if (mode != "rw" || is_ours || piece.Holds(end - 1)) continue;
    const std::size_t count = CountBetween(memory, begin, end, bytes, piece);
    if (count > 0) found.push_back(std::to_string(count) + " in " + std::string(line));
  }
  ::close(memory);
  return found;
}

}  // namespace tracekeeper::vault
