#pragma once
// Routes of the fake API server: what a request asks for, and the answer to all but watches. Works
// on a FakeObjectStore; knows nothing of faults, connections or time.
//
// Threads:  none of its own: under the server's lock.

#include <optional>
#include <string>
#include <string_view>

#include "src/net/http.h"
#include "tests/support/fake_object_store.h"

namespace tracekeeper::test_support {

/// A request, taken apart.
struct Asked {
  const kube::Resource* resource = nullptr;
  kube::ObjectKey key;  // without a name: the collection
  std::string subresource;
  bool is_watch = false;
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;

  [[nodiscard]] bool Selects(const std::string& json) const;
};

/// What a projection makes of one object: whole, or metadata alone.
std::string Project(const std::string& json, bool metadata_only);

net::Response JsonAnswer(int code, std::string body);
net::Response NotFound(const Asked& asked);
net::Response StatusAnswer(int code, std::string_view reason, std::string_view message,
                           std::string_view details_json = "{}");

class FakeApiRoutes {
 public:
  explicit FakeApiRoutes(FakeObjectStore& store) : store_(store) {}

  /// nullopt: no kind that is served.
  [[nodiscard]] std::optional<Asked> Parse(const net::Request& request) const;
  net::Response Answer(const net::Request& request);

 private:
  net::Response AnswerForObject(const net::Request& request, const Asked& asked);
  [[nodiscard]] net::Response List(const net::Request& request, const Asked& asked) const;
  net::Response Create(const net::Request& request, const Asked& asked);
  net::Response Patch(const net::Request& request, const Asked& asked);
  net::Response Apply(const net::Request& request, const Asked& asked);
  net::Response Delete(const net::Request& request, const Asked& asked);
  /// Writes, and ends an object whose last finalizer has gone. Dry runs write nothing.
  net::Response Commit(const net::Request& request, const Asked& asked, const JsonTree& object,
                       int code);
  [[nodiscard]] std::optional<net::Response> Discovery(const net::Request& request) const;

  FakeObjectStore& store_;
};

}  // namespace tracekeeper::test_support
