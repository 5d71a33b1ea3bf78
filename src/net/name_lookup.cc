#include "src/net/name_lookup.h"

#include <netdb.h>

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace tracekeeper::net {

namespace {

using Addresses = std::vector<SocketAddress>;

Result<Addresses> AskResolver(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    return Fail(ErrorKind::kUnavailable, "the name {} cannot be looked up: {}", host,
                ::gai_strerror(error));
  }
  Addresses addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return addresses;
}

/// Shared by the caller and the thread that may outlive its interest.
struct PendingLookup {
  std::mutex mutex;
  std::condition_variable_any answered;
  std::optional<Result<Addresses>> answer;
};

}  // namespace

Result<Addresses> LookUp(const std::string& host, std::uint16_t port, MonotonicTime deadline,
                         const StopToken& stop) {
  if (auto numeric = AskResolver(host, port, AI_NUMERICHOST)) return numeric;

  const auto pending = std::make_shared<PendingLookup>();
  std::thread([pending, host, port] {
    // Which address families this machine has decides which are worth trying.
    auto answer = AskResolver(host, port, AI_ADDRCONFIG);
    const std::lock_guard lock(pending->mutex);
    pending->answer = std::move(answer);
    pending->answered.notify_all();
  }).detach();

  std::unique_lock lock(pending->mutex);
  pending->answered.wait_until(lock, stop, deadline, [&] { return pending->answer.has_value(); });
  if (pending->answer) return *std::move(pending->answer);
  if (stop.stop_requested())
    return Fail(ErrorKind::kCancelled, "stopped while looking up {}", host);
  return Fail(ErrorKind::kTimeout, "looking up the name {} took too long", host);
}

}  // namespace tracekeeper::net
