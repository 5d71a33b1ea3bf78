#pragma once
// Sender is one thread of a Relay: it takes a batch, attempts until it is settled, takes the next.
//
// Threads:  its own; RequestStop and the destructor from the relay's.
// Owner:    the Relay, which outlives it.

#include <random>
#include <thread>
#include <vector>

#include "src/codec/compression.h"
#include "src/otlp/relay.h"

namespace tracekeeper::otlp {

class Relay::Sender {
 public:
  explicit Sender(Relay& relay);

  /// Cancels the attempt under way and ends the thread soon.
  void RequestStop() { thread_.request_stop(); }

 private:
  /// A batch with what is sent for it.
  struct Parcel {
    Batch batch;
    std::string body;  // empty: to be made of the batch
    codec::Compression compression = codec::Compression::kIdentity;
  };

  void Run(const StopToken& stop);
  std::optional<Batch> WaitForBatch(const StopToken& stop);
  void WaitForWork(std::unique_lock<std::mutex>& lock, MonotonicTime until);
  void Deliver(Batch batch, const StopToken& stop);
  /// Attempts until the parcel is settled; what it was cut into is appended to `pending`.
  void Settle(Parcel parcel, std::vector<Batch>& pending, const StopToken& stop);
  Answer Attempt(Parcel& parcel, Exporter& exporter, const StopToken& stop);
  void Finish(const Parcel& parcel, const Verdict& verdict);
  void Cut(const Parcel& parcel, const Verdict& verdict, std::vector<Batch>& pending);
  void Drop(const Parcel& parcel, DropReason reason);
  void Note(const Verdict& verdict);
  /// False when the wait ended with the relay.
  bool WaitToRetry(Parcel& parcel, Duration wait, std::uint64_t version, const StopToken& stop);

  Relay& relay_;
  codec::Compressor compressor_;
  std::minstd_rand random_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace tracekeeper::otlp
