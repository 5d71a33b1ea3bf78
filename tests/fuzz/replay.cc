// Runs a fuzz target without libFuzzer: each seed of the folders named as arguments, each prefix of
// it, and some thousand copies with a few bytes changed, the same ones on every run. A crash, a
// failed assertion or a sanitizer's report ends the program; the input stands in the file it names.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kPrefixesOfOneSeed = 512;
constexpr int kChangedCopiesOfOneSeed = 500;
constexpr int kChangesOfOneCopy = 4;

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Replay {
 public:
  /// `current_input` holds the input being run, for whoever looks after a crash.
  explicit Replay(std::filesystem::path current_input) : current_input_(std::move(current_input)) {}

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
    std::ofstream(current_input_, std::ios::binary) << input;
    // A copy of exactly this size, so that AddressSanitizer sees the first byte read past it.
    const std::vector<std::uint8_t> bytes(input.begin(), input.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    ++runs_;
  }

  std::filesystem::path current_input_;
  std::mt19937 random_{1};  // NOLINT(cert-msc51-cpp): the same inputs on every run
  std::size_t runs_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path program = argv[0];
  const std::filesystem::path current_input = program.string() + ".input";
  Replay replay(current_input);
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
  std::filesystem::remove(current_input);
  std::printf("%zu seeds, %zu inputs\n", seeds, replay.runs());
  return seeds == 0 ? 2 : 0;
}
