#pragma once
// InjectionRecord lists what injection added to a pod, by name and never by position, so that it
// can be taken out again whatever others added since. It is the value of the annotation
// tracekeeper.dev/injection; managedFields do not show what a webhook adds.
//
//   {"v":1,"sidecar":"native",
//    "initContainers":["tracekeeper-sidecar"],"containers":[],"volumes":["tracekeeper-config",...],
//    "was":{"spec.volumes":"absent"},
//    "in":{"app":{"env":["OTEL_PROPAGATORS",...],"grew":{"JAVA_TOOL_OPTIONS":17},
//                 "mounts":["/opt/tracekeeper/agent"],"was":{"env":"null"}}}}
//
// "was" tells of a list or field that did not hold anything: absent, null or (where it matters) [].
// "grew" holds the length of the user's value in bytes, -1 where it had none. Lists and objects
// that are empty are left out.
//
// Threads:  a writer belongs to one thread.
// Failure:  reading is done on the JSON itself (undo.cc); unknown members are ignored.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/codec/json_value.h"

namespace tracekeeper::domain {

inline constexpr std::int64_t kRecordVersion = 1;

/// What was at `path` before we added something there.
struct Origin {
  std::string path;        // "env", "securityContext.capabilities"
  std::string_view state;  // kAbsent, kNull or kEmptyList

  static constexpr std::string_view kAbsent = "absent";
  static constexpr std::string_view kNull = "null";
  static constexpr std::string_view kEmptyList = "[]";
};

/// Absent or null, as the state of an Origin; empty when the value is there.
std::string_view OriginOf(const codec::JsonValue& value);

/// One container's part of the record.
struct ContainerRecord {
  std::string_view name;
  std::vector<std::string_view> env;
  std::vector<std::pair<std::string_view, std::int64_t>> grew;
  std::vector<std::string_view> mounts;
  std::vector<Origin> was;
};

struct InjectionRecord {
  bool native = true;
  std::vector<std::string_view> init_containers;
  std::vector<std::string_view> containers;
  std::vector<std::string_view> volumes;
  std::vector<Origin> was;
  std::vector<ContainerRecord> in;

  [[nodiscard]] std::string ToJson() const;
};

/// `record`, as it stands in a pod, with containers that were injected later.
std::string ExtendRecord(const codec::JsonValue& record, const std::vector<ContainerRecord>& later);

}  // namespace tracekeeper::domain
