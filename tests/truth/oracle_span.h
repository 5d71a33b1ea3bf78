#pragma once
// What is known of one span by itself: section 2 of docs/reference/verdicts.md, and what its place
// in its trace adds (oracle_traces.h).
//
// The oracle is the second implementation of that page: slow, simple, and written without looking
// at the engine. Where the two differ, one of them is wrong, or the page is.
//
// Threads:  values and pure functions.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/truth/telemetry_model.h"

namespace tracekeeper::truth {

inline constexpr int kInternal = 1;
inline constexpr int kServer = 2;
inline constexpr int kClient = 3;
inline constexpr int kProducer = 4;
inline constexpr int kConsumer = 5;

inline constexpr std::int64_t kSecond = 1'000'000;  // times are microseconds

struct OracleSpan {
  // As it was sent.
  std::string trace_id;
  std::string span_id;
  std::string named_parent;  // empty where it was sent as zeros
  std::string parent_id;     // the same; empty too where it is the span's own id
  std::string service;
  std::string instance;  // with its service; empty: not known
  std::string scope;
  std::string name;
  std::string tracestate;
  std::uint32_t flags = 0;
  int kind = kInternal;  // none counts as INTERNAL ...
  bool has_kind = true;  // ... and is remembered
  std::int64_t start = 0;
  std::int64_t end = 0;

  // What that says.
  bool has_valid_ids = true;
  bool is_unfinished = false;
  std::optional<bool> is_parent_remote;  // nothing: not known
  bool is_entry = false;
  bool is_out = false;
  bool has_error = false;
  bool is_cancelled = false;
  bool is_poll = false;
  bool is_database = false;
  bool is_messaging = false;
  bool is_rpc = false;
  bool is_probe = false;  // its user agent is a probe's
  bool is_job = false;
  bool has_valid_link = false;
  std::string peer_service;
  std::string address;
  std::string operation;

  // Its place in its trace.
  std::string judged_trace;  // the id of the trace it is judged in: the longer one of a cut span
  bool is_cut = false;
  bool has_unit = true;  // false: without kind, in a shared node
  bool is_root = false;
  bool is_orphan = false;
  OracleSpan* parent = nullptr;
  std::string parent_node;          // the id that the parent has or would have
  bool is_remote = false;           // the link to the parent that is there
  bool is_cut_from_parent = false;  // a cut span whose parent is in the longer trace
  bool is_paired = false;
  std::vector<OracleSpan*> children;
};

[[nodiscard]] OracleSpan ReadSpan(const ModelSpan& span);

/// Whether `id` has `size` bytes and one of them is not zero.
[[nodiscard]] bool IsValidId(std::string_view id, std::size_t size);
[[nodiscard]] bool IsZeros(std::string_view id);
[[nodiscard]] std::string Hex(std::string_view bytes);

/// The instance of a resource, with the service that it is one of; empty where it is not known.
[[nodiscard]] std::string InstanceOf(const Attributes& resource);
/// The last value of `key`, empty where there is none.
[[nodiscard]] std::string ValueOf(const Attributes& attributes, std::string_view key);

/// Whether one of `names` is `text`, or its beginning with a * behind it.
[[nodiscard]] bool IsNamed(const std::set<std::string>& names, std::string_view text);

/// Whether the policy excludes the span's service, scope or name.
[[nodiscard]] bool IsExcluded(const OracleSpan& span, const ModelPolicy& policy);

/// By start, then by span id: the order in which spans are shown.
[[nodiscard]] bool StartsBefore(const OracleSpan* left, const OracleSpan* right);

}  // namespace tracekeeper::truth
