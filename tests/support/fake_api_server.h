#pragma once
// FakeApiServer is a Kubernetes API server in this process, behind the Transport port, that does
// on demand what a real one does rarely: pages that expire, 410 in a stream, silence, slow drips,
// conflicts, 429. What both can do is held equal by one table of exchanges that runs against both
// (tests/src/kube/exchange_table.h).
//
//   FakeApiServer server(clock);
//   server.Put(kube::kPods, R"({"metadata":{"namespace":"shop","name":"web"}})");
//   kube::Client client({}, server, server, nullptr, clock, NoMetrics());
//   server.FailNext({.method = "PATCH", .status = 429, .retry_after = "1"});
//
// It serves: GET, LIST (limit, continue, resourceVersion 0), WATCH (bookmarks, timeoutSeconds,
// WatchList), POST, PATCH (JSON, merge, apply with field managers, status), DELETE with
// preconditions and finalizers, PartialObjectMetadata, equality label selectors and the field
// selectors metadata.name, metadata.namespace, spec.nodeName; Eviction, /version,
// SelfSubjectAccessReview (all allowed). It does not validate against schemas.
//
// Threads:  safe from any thread. A watch blocks its caller, as a real one does.
// Owner:    the test; destroyed after every call has returned (EndWatches() or their stop tokens).
// Time:     the given Clock alone: creationTimestamp, timeoutSeconds.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/kube/resource.h"
#include "src/net/transport.h"

namespace tracekeeper::test_support {

/// Which requests a fault takes: empty members match everything.
struct Fault {
  std::string method = {};           // "GET"
  std::string target_contains = {};  // "/leases/", "watch=1", "continue="
  int times = 1;

  int status = 0;                   // answers so, with a metav1.Status of `reason`
  std::string reason = {};          // "TooManyRequests"; empty: by status
  std::string retry_after = {};     // header
  std::string body = {};            // instead of a Status: an HTML page
  std::optional<Error> error = {};  // no answer at all: the connection broke, the deadline passed
  /// With `error`: the server did the work before the connection broke.
  bool after_the_work = false;
  std::function<void()> before =
      {};  // runs first, without a lock: another writer, time that passes
};

enum class WatchEnd {
  kClean,          // as after timeoutSeconds
  kBroken,         // the connection is reset
  kExpired,        // an ERROR event with 410, then the end
  kInternalError,  // an ERROR event with 500
};

class FakeApiServer final : public net::Transport {
 public:
  explicit FakeApiServer(const Clock& clock);
  ~FakeApiServer() override;

  // --- What is stored ---------------------------------------------------------------------------

  /// Serves a kind of a CRD. The kinds of src/kube/resource.h are served from the start.
  void Serve(const kube::Resource& resource);

  /// Another client creates or replaces an object, with no check. apiVersion, kind, uid,
  /// resourceVersion and creationTimestamp are filled in. Returns the resourceVersion.
  std::string Put(const kube::Resource& resource, std::string_view json);
  /// Another client deletes it at once, finalizers or not. False when it is not there.
  bool Remove(const kube::Resource& resource, const kube::ObjectKey& key);
  [[nodiscard]] std::optional<std::string> Find(const kube::Resource& resource,
                                                const kube::ObjectKey& key) const;
  [[nodiscard]] std::vector<kube::ObjectKey> Keys(const kube::Resource& resource) const;
  [[nodiscard]] std::int64_t resource_version() const;

  // --- Faults -----------------------------------------------------------------------------------

  /// Faults are tried in the order they were given; the first that matches takes the request.
  void FailNext(Fault fault);
  void ForgetFaults();
  /// Forgets history: watches from, and continue tokens of, older versions answer 410.
  void Compact();
  /// Ends the watches that run now.
  void EndWatches(WatchEnd how);
  /// Running and new watches stay open and send nothing (half-open) until Wake().
  void FallSilent();
  void Wake();
  /// Sends these bytes as they are into every running watch of the kind.
  void InjectIntoWatches(const kube::Resource& resource, std::string_view bytes);
  /// A bookmark at the newest version, now, in every running watch that allows them.
  void SendBookmarks();
  /// Cuts bodies into pieces of that many bytes; 0: whole.
  void DripBytes(std::size_t piece);
  /// Off: `sendInitialEvents` is answered 422, as by a server that does not know it.
  void SetWatchList(bool served);
  /// WatchList streams whose last bookmark never comes.
  void HoldInitialBookmark(bool held);

  // --- What was asked ---------------------------------------------------------------------------

  [[nodiscard]] std::vector<net::Request> requests() const;
  /// Requests whose "METHOD target" contains `text`.
  [[nodiscard]] std::size_t CountRequests(std::string_view text) const;
  /// Requests that change something.
  [[nodiscard]] std::size_t CountWrites() const;
  void ForgetRequests();
  [[nodiscard]] std::size_t open_watches() const;
  /// Waits (in real time, at most `limit`) until that many watches run and have sent all there is.
  bool WaitForWatches(std::size_t count, Duration limit = std::chrono::seconds(10)) const;

  Result<net::Response> Send(const net::Request& request, const net::CallOptions& options,
                             const StopToken& stop) override;
  Status Stream(const net::Request& request, net::StreamSink& sink, const net::CallOptions& options,
                const StopToken& stop) override;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace tracekeeper::test_support
