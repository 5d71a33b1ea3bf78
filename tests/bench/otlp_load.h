#pragma once
// OtlpLoad sends prepared OTLP requests over connections that stay open, as fast as they are taken.
//
// Threads:  one thread; it makes one for each connection while it sends.
// Owner:    main(). The requests must stay as they are until Send returns.
// Failure:  what is pushed back is sent again after a pause; any other answer ends the sending, and
//           Sent says which.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "src/net/http.h"

namespace tracekeeper::bench {

/// `message` as one request of OTLP, over gRPC or HTTP; `encoding` is empty or what it is
/// compressed with.
net::Request OtlpRequest(bool is_grpc, const std::string& encoding, const std::string& message);

struct Sent {
  std::size_t taken = 0;
  std::size_t pushed_back = 0;
  std::string failure;  // empty: all were taken
};

class OtlpLoad {
 public:
  OtlpLoad(bool is_grpc, std::uint16_t port, std::size_t connections);
  ~OtlpLoad();

  Sent Send(const std::vector<net::Request>& requests);

 private:
  enum class Outcome { kTaken, kPushedBack, kFailed };
  using Connection = std::function<Outcome(const net::Request&, std::string& failure)>;

  std::vector<Connection> connections_;
};

}  // namespace tracekeeper::bench
