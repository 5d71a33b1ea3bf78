#pragma once
// PodSource is an API server behind the Transport port that makes pods up while they are read, so
// that a benchmark of the watch cache measures the cache and not a server beside it.
//
// It serves lists (in pages where a limit is asked for), WatchLists and watches of pods. Every list
// gives all pods a new resourceVersion: the worst case of a relist, in which everything changed.
//
// Threads:  Stream from one thread at a time; the rest is safe from any thread.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>

#include "src/net/transport.h"

namespace tracekeeper::bench {

/// A pod of about 6.7 KB as a cluster has it, two fifths of it managedFields.
std::string MakePodJson(int number, std::uint64_t version);

class PodSource final : public net::Transport {
 public:
  explicit PodSource(int pods) : pods_(pods) {}

  void SetWatchList(bool served) { watch_list_ = served; }
  /// Ends the running watch with 410.
  void ExpireWatch();
  /// Sends one event into the running watch.
  void SendEvent(std::string_view line);
  [[nodiscard]] bool has_watch() const { return has_watch_; }
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }

  Result<net::Response> Send(const net::Request& request, const net::CallOptions& options,
                             const StopToken& stop) override;
  Status Stream(const net::Request& request, net::StreamSink& sink, const net::CallOptions& options,
                const StopToken& stop) override;

 private:
  Status SendList(const net::Request& request, net::StreamSink& sink);
  Status SendInitialEvents(net::StreamSink& sink);
  Status Follow(net::StreamSink& sink, const StopToken& stop);
  Status Flush(net::StreamSink& sink, std::string& buffer, std::size_t threshold);

  const int pods_;
  std::atomic<bool> watch_list_ = false;
  std::atomic<bool> has_watch_ = false;
  std::atomic<std::uint64_t> bytes_sent_ = 0;
  std::uint64_t version_ = 1000;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string pending_;
  bool expired_ = false;
};

}  // namespace tracekeeper::bench
