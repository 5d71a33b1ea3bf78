#pragma once
// The inside of FakeApiServer: the store under its lock, the faults to come, the watches that run.
// Included by the fake's own files alone.
//
// Threads:  `mutex` guards every member but the clock. No sink is called under it.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fake_api_routes.h"
#include "tests/support/fake_api_server.h"
#include "tests/support/fake_object_store.h"

namespace tracekeeper::test_support {

class FakeApiServer::Core {
 public:
  explicit Core(const Clock& clock_to_use) : clock(clock_to_use), store(clock_to_use) {}

  /// One watch that runs, seen from outside.
  struct Watch {
    const kube::Resource* resource = nullptr;
    std::int64_t version = 0;  // sent up to here
    std::deque<std::string> extra;
    std::optional<WatchEnd> end;
    bool wants_bookmark = false;
    bool is_waiting = false;
    MonotonicTime last_bytes;
    MonotonicTime deadline;
  };

  std::optional<Fault> TakeFault(const net::Request& request);
  /// There is something new: no watch counts as waiting before it has looked.
  void WakeWatches();
  Result<net::Response> Process(const net::Request& request);
  Status Deliver(const net::Response& answer, net::StreamSink& sink);
  Status RunWatch(const net::Request& request, const Asked& asked, net::StreamSink& sink,
                  const net::CallOptions& options, const StopToken& stop);
  Status Follow(const Asked& asked, Watch& watch, bool metadata_only, net::StreamSink& sink,
                Duration idle, const StopToken& stop, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool IsCompacted(std::int64_t version) const;
  Status SendInitial(const net::Request& request, const Asked& asked, Watch& watch,
                     net::StreamSink& sink, bool metadata_only);
  /// What to send next; empty: nothing yet.
  std::string NextBytes(const Asked& asked, Watch& watch, bool metadata_only);
  Status SendPieces(std::string_view bytes, net::StreamSink& sink);
  [[nodiscard]] std::string Bookmark(const Watch& watch, bool is_initial_end) const;

  const Clock& clock;
  mutable std::mutex mutex;
  mutable std::condition_variable_any changed;  // for watches
  // For WaitForWatches: one of its own, or watches that begin to wait would wake each other
  // forever.
  mutable std::condition_variable_any settled;
  FakeObjectStore store;
  FakeApiRoutes routes{store};
  std::list<Fault> faults;
  std::vector<net::Request> requests;
  std::list<Watch*> watches;
  std::size_t drip = 0;
  bool is_silent = false;
  bool serves_watch_list = true;
  bool holds_initial_bookmark = false;
};

}  // namespace tracekeeper::test_support
