// Runs a fuzz target without libFuzzer: each seed of the folders named as arguments, prefixes of
// it, and some hundred copies with a few bytes changed, the same ones on every run. A crash, a
// failed assertion or a sanitizer's report ends the program and leaves the input in
// <program>.input.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// Of the sanitizers, where there is one: called before it ends the program.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

constexpr std::size_t kPrefixesOfOneSeed = 512;
constexpr int kChangedCopiesOfOneSeed = 500;
constexpr int kChangesOfOneCopy = 4;

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What a signal handler can reach: the input that is being run, and where to leave it.
std::vector<std::uint8_t> current_input;
std::string input_path;

void SaveInput() {
  const int file = ::open(input_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) return;
  [[maybe_unused]] const ssize_t written =
      ::write(file, current_input.data(), current_input.size());
  ::close(file);
}

void SaveInputAndDie(int signal) {
  SaveInput();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void SaveInputOfACrash() {
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    std::signal(signal, SaveInputAndDie);
  }
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(SaveInput);
}

class Replay {
 public:
  void RunSeed(const std::string& seed) {
    Run(seed);
    const std::size_t step = seed.size() / kPrefixesOfOneSeed + 1;
    for (std::size_t length = 0; length < seed.size(); length += step) Run(seed.substr(0, length));
    if (seed.empty()) return;
    for (int copy = 0; copy < kChangedCopiesOfOneSeed; ++copy) {
      std::string changed = seed;
      for (int change = 0; change < kChangesOfOneCopy; ++change) {
        changed[random_() % changed.size()] = static_cast<char>(random_());
      }
      Run(changed);
    }
  }

  [[nodiscard]] std::size_t runs() const { return runs_; }

 private:
  void Run(const std::string& input) {
    // Of exactly this size, so that AddressSanitizer sees the first byte read past it.
    current_input = {input.begin(), input.end()};
    current_input.shrink_to_fit();
    LLVMFuzzerTestOneInput(current_input.data(), current_input.size());
    ++runs_;
  }

  std::mt19937 random_{1};  // the same inputs on every run
  std::size_t runs_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  input_path = std::string(argv[0]) + ".input";
  SaveInputOfACrash();
  Replay replay;
  replay.RunSeed("");
  std::size_t seeds = 0;
  for (int index = 1; index < argc; ++index) {
    if (!std::filesystem::is_directory(argv[index])) {
      std::fprintf(stderr, "%s: no folder of seeds: add files that the target should start from\n",
                   argv[index]);
      return 2;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[index])) {
      replay.RunSeed(ReadFile(entry.path()));
      ++seeds;
    }
  }
  std::printf("%zu seeds, %zu inputs\n", seeds, replay.runs());
  return seeds == 0 ? 2 : 0;
}
