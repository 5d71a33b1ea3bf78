#pragma once
// The adapters of Transport, so that one test speaks to each of them.

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>

#include "src/net/transports.h"

namespace tracekeeper::net {

struct Adapter {
  const char* name;
  Result<std::unique_ptr<Transport>> (*make)(TransportOptions);
  friend std::ostream& operator<<(std::ostream& out, const Adapter& adapter) {
    return out << adapter.name;
  }
};

inline constexpr Adapter kAdapters[] = {{"Beast", &MakeBeastTransport},
                                        {"Cpprest", &MakeCpprestTransport}};

/// A test that runs once with each adapter.
class TransportTest : public testing::TestWithParam<Adapter> {
 protected:
  /// cpprest's threads can be sized once a process, before its first request.
  static void SetUpTestSuite() {
    [[maybe_unused]] static const Status initialized = InitializeCpprest();
  }

  static std::unique_ptr<Transport> Make(TransportOptions options) {
    auto transport = GetParam().make(std::move(options));
    if (!transport) throw std::runtime_error(transport.error().message);
    return *std::move(transport);
  }

  static std::unique_ptr<Transport> To(const std::string& url) {
    return Make({.name = "peer", .base_url = url});
  }

  static std::unique_ptr<Transport> To(const std::string& url, std::string authorities_pem) {
    return Make({.name = "peer", .base_url = url, .authorities_pem = [authorities_pem] {
                   return Result<std::string>(authorities_pem);
                 }});
  }

  static Result<Response> Get(Transport& transport, const std::string& target = "/",
                              const CallOptions& options = {}) {
    return transport.Send({.target = target}, options, {});
  }

  static std::string NameOfAdapter(const testing::TestParamInfo<Adapter>& adapter) {
    return adapter.param.name;
  }
};

}  // namespace tracekeeper::net
