#pragma once
// RequestScratch is the memory that turning a body into a request takes. ScratchPool lends one to
// each thread that has a request in hand and keeps it for the next, so that the same work done
// again allocates nothing.
//
// Threads:  Borrow from any thread; a loan belongs to the thread that borrowed.
// Owner:    a receiver; loans end before the pool.

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "src/codec/compression.h"

namespace tracekeeper::otlp {

struct RequestScratch {
  codec::Decompressor decompressor;
  std::string bytes;  // out of JSON, or gathered from pieces

  /// Gives back what is larger than `kept` bytes.
  void Trim(std::size_t kept) {
    decompressor.Trim(kept);
    if (bytes.capacity() > kept) bytes = {};
  }
};

class ScratchPool {
 public:
  class Loan {
   public:
    Loan(ScratchPool& pool, std::unique_ptr<RequestScratch> scratch)
        : pool_(pool), scratch_(std::move(scratch)) {}
    ~Loan() { pool_.GiveBack(std::move(scratch_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    RequestScratch& operator*() const { return *scratch_; }
    RequestScratch* operator->() const { return scratch_.get(); }

   private:
    ScratchPool& pool_;
    std::unique_ptr<RequestScratch> scratch_;
  };

  /// What was lent keeps buffers of up to `kept_bytes` when it comes back.
  explicit ScratchPool(std::size_t kept_bytes) : kept_bytes_(kept_bytes) {}

  [[nodiscard]] Loan Borrow();

 private:
  void GiveBack(std::unique_ptr<RequestScratch> scratch);

  const std::size_t kept_bytes_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<RequestScratch>> free_;
};

}  // namespace tracekeeper::otlp
