// A process that wipes its heap: what libraries copied of a secret is gone once they let go of it.

#include "src/crypto/secret_process.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace tracekeeper::crypto {
namespace {

constexpr char kMask = 0x5A;
constexpr std::size_t kSize = 48;

/// The secret only ever exists masked, but for what the test itself makes of it.
std::string MaskedSecret() {
  std::string masked;
  for (std::size_t i = 0; i < kSize; ++i) {
    masked += static_cast<char>(('A' + static_cast<char>((i * 7) % 26)) ^ kMask);
  }
  return masked;
}

bool StandsAt(const char* place, std::string_view masked) {
  for (std::size_t i = 0; i < masked.size(); ++i) {
    if (place[i] != static_cast<char>(masked[i] ^ kMask)) return false;
  }
  return true;
}

struct Region {
  const char* from;
  const char* to;
  std::string name;
};

/// Everything that this process may write: heap, stacks, data.
std::vector<Region> WritableMemory() {
  std::vector<Region> regions;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    void* from = nullptr;
    void* to = nullptr;
    char rights[5] = "";
    if (std::sscanf(line.c_str(), "%p-%p %4s", &from, &to, rights) != 3) continue;
    if (std::string_view(rights).starts_with("rw")) {
      regions.push_back({static_cast<const char*>(from), static_cast<const char*>(to),
                         line.substr(line.size() > 73 ? 73 : line.size())});
    }
  }
  return regions;
}

/// Names of the regions in which the secret stands.
std::string PlacesOf(std::string_view masked) {
  std::ostringstream places;
  for (const Region& region : WritableMemory()) {
    for (const char* at = region.from; at + masked.size() <= region.to; ++at) {
      if (StandsAt(at, masked)) places << (region.name.empty() ? "anonymous" : region.name) << "; ";
    }
  }
  return places.str();
}

std::string Unmasked(const std::string& masked) {
  std::string text = masked;
  for (char& c : text) c = static_cast<char>(c ^ kMask);
  return text;
}

/// Copies of a secret as libraries make them: grown strings, vectors, JSON texts, OpenSSL's
/// buffers.
void UseAndForget(const std::string& masked) {
  std::string grown;
  for (int i = 0; i < 100; ++i) grown += Unmasked(masked);
  const std::vector<std::string> many(20, Unmasked(masked));
  std::ostringstream stream;
  stream << "{\"token\":\"" << many.front() << "\"}";
  BIO* const buffer = BIO_new(BIO_s_mem());
  for (int i = 0; i < 100; ++i) BIO_write(buffer, grown.data(), static_cast<int>(grown.size()));
  BIO_free(buffer);
}

TEST(SecretProcess, LeavesNoCopyOfASecretInItsHeapAndNoCoreDump) {
  const Status become = BecomeSecretProcess();
  ASSERT_TRUE(become) << become.error().message;
  const std::string masked = MaskedSecret();
  {
    const std::string held = Unmasked(masked);
    EXPECT_NE(PlacesOf(masked), "") << "the search finds nothing at all";
    EXPECT_EQ(held.size(), kSize);
  }
  UseAndForget(masked);
  EXPECT_EQ(PlacesOf(masked), "");

  rlimit core{};
  ASSERT_EQ(::getrlimit(RLIMIT_CORE, &core), 0);
  EXPECT_EQ(core.rlim_max, 0U);
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE), 0);
}

}  // namespace
}  // namespace tracekeeper::crypto
