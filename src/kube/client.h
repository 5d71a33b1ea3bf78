#pragma once
// Client speaks the Kubernetes API over two Transports: one for calls that answer at once, one for
// lists and watches that stream. It knows verbs, paths, pages and errors, and no kind.
//
//   const Document pod = TRY(client.Get(kPods, {"shop", "web-1"}, stop));
//   TRY(client.Apply(kConfigMaps, key, json, {.field_manager = "tracekeeper"}, stop));
//
// Writes:   server-side apply, JSON Patch, merge patch with a resourceVersion, create, delete with
//           preconditions. There is no PUT: our structs hold a part of each object, and a PUT
//           would erase what we don't know.
// Threads:  all methods are safe from any thread and block their caller.
// Owner:    wiring; transports, credentials, clock and metrics outlive it.
// Failure:  every answer of 400 and above is an Error by kind (status_error.h) whose sentence names
//           verb, object and the server's reason. 429 and 503 with Retry-After are waited for and
//           tried again, max_repeats times and within the deadline; calls that do no harm twice
//           are sent once more after a broken connection. A watch is never repeated: its caller
//           knows where to resume. 401: the token file is read again, a new token gets one try.
// Metrics:  rest_client_requests_total{code,method,host}, rest_client_request_duration_seconds
//           {verb,host}, rest_client_request_retries_total{code,verb,host}.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/metrics.h"
#include "src/base/result.h"
#include "src/kube/credentials.h"
#include "src/kube/document.h"
#include "src/kube/resource.h"
#include "src/kube/watch_decoder.h"
#include "src/net/transport.h"

namespace tracekeeper::kube {

/// Which part of an object a read asks for.
enum class Projection { kWholeObject, kMetadataOnly };

enum class VersionMatch { kUnset, kNotOlderThan, kExact };

struct Selection {
  std::string namespace_name;  // empty: all namespaces
  std::string label_selector;
  std::string field_selector;
  Projection projection = Projection::kWholeObject;
};

struct ListOptions {
  Selection selection;
  /// Empty: the newest (quorum read). "0": whatever the server's watch cache has.
  std::string resource_version;
  VersionMatch match = VersionMatch::kUnset;
  /// Page size; 0: everything in one answer. Ignored by the server for "0" from its cache.
  int page_size = 500;
};

/// Takes the objects of a list one by one; no document of the whole list is ever kept.
class ListSink {
 public:
  virtual ~ListSink() = default;
  /// The pages so far are void (a continue token expired): the list begins anew.
  virtual void OnRestart() = 0;
  /// `object` is valid until this returns. An error leaves the list with that error.
  virtual Status OnObject(codec::JsonValue object) = 0;
  /// One object that cannot be decoded. The list goes on.
  virtual void OnBrokenObject(const Error& error) = 0;
};

struct ListOutcome {
  std::string resource_version;  // of the list: where a watch continues
  std::size_t objects = 0;
  std::size_t pages = 0;
};

struct WatchOptions {
  Selection selection;
  std::string resource_version;
  /// The server ends the watch after this. The whole call ends a little later, if it does not.
  Duration timeout = std::chrono::minutes(5);
  /// WatchList: the existing objects come first as ADDED, then a bookmark with
  /// initial_events_end, in the same stream.
  bool send_initial_events = false;
};

enum class Force { kNo, kYes };
enum class DryRun { kNo, kYes };

struct ApplyOptions {
  std::string field_manager;
  std::string subresource;  // "status"
  /// Takes over fields that another manager owns. Only for fields that are ours by contract.
  Force force = Force::kNo;
  DryRun dry_run = DryRun::kNo;
};

struct WriteOptions {
  std::string field_manager;
  std::string subresource;
  DryRun dry_run = DryRun::kNo;
};

struct DeleteOptions {
  /// Deletes only if the object is still this one / at this version: else kConflict.
  std::string uid;
  std::string resource_version;
  /// "Background", "Foreground", "Orphan"; empty: the kind's default.
  std::string propagation;
  DryRun dry_run = DryRun::kNo;
};

/// What may be done when the outcome of a call is open.
enum class Repeat {
  kNever,
  kWhenRefused,  // after 429 or 503 with Retry-After: the server says that it did nothing
  kSafe,         // also after a broken connection: doing it twice is doing it once
};

/// A call that has no method of its own here: a review, a token, an eviction, /version.
struct RawCall {
  std::string method = "GET";
  std::string target;  // path and query
  std::string content_type;
  std::string body;
  std::string what;  // for errors: "read the server's version"
  std::string accept = "application/json";
  Repeat repeat = Repeat::kNever;
};

class Caller;

class Client {
 public:
  struct Options {
    std::string component = "tracekeeper";  // in User-Agent: "tracekeeper-operator"
    std::string version = "dev";
    std::string host;         // label of the metrics: "10.0.0.1:6443"
    std::string path_prefix;  // before every path, for a server behind a gateway
    /// For a whole call, with its repeats.
    Duration deadline = std::chrono::seconds(30);
    unsigned max_repeats = 4;
    /// A server that asks for a longer wait gets the error passed on instead.
    Duration max_retry_after = std::chrono::seconds(10);
    std::size_t max_object_bytes = 8U << 20U;
  };

  Client(Options options, net::Transport& unary, net::Transport& streams, Credentials* credentials,
         const Clock& clock, Metrics& metrics);
  ~Client();

  Result<Document> Get(const Resource& resource, const ObjectKey& key, const StopToken& stop);

  Result<ListOutcome> List(const Resource& resource, const ListOptions& options, ListSink& sink,
                           const StopToken& stop);

  /// Streams events into `sink` until the server ends the watch (success), or something breaks.
  /// kExpired, as status or in the stream: list again.
  Status Watch(const Resource& resource, const WatchOptions& options, WatchSink& sink,
               const StopToken& stop);

  /// Server-side apply. `json` carries apiVersion, kind, metadata.name and only what is ours.
  Result<Document> Apply(const Resource& resource, const ObjectKey& key, std::string_view json,
                         const ApplyOptions& options, const StopToken& stop);

  /// RFC 6902. A failing `test` is kConflict.
  Result<Document> PatchJson(const Resource& resource, const ObjectKey& key, std::string_view json,
                             const WriteOptions& options, const StopToken& stop);

  /// RFC 7386. `json` carries metadata.resourceVersion where a lost race must be kConflict.
  Result<Document> PatchMerge(const Resource& resource, const ObjectKey& key, std::string_view json,
                              const WriteOptions& options, const StopToken& stop);

  Result<Document> Create(const Resource& resource, std::string_view namespace_name,
                          std::string_view json, const WriteOptions& options,
                          const StopToken& stop);

  /// Success also says "asked for": finalizers may keep the object for a while.
  Status Delete(const Resource& resource, const ObjectKey& key, const DeleteOptions& options,
                const StopToken& stop);

  /// The body as it came; for /readyz and the like, which answer with text.
  Result<std::string> CallText(const RawCall& call, const StopToken& stop);
  Result<Document> Call(const RawCall& call, const StopToken& stop);

  [[nodiscard]] const Options& options() const;

 private:
  std::unique_ptr<Caller> caller_;
};

}  // namespace tracekeeper::kube
