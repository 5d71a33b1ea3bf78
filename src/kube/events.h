#pragma once
// EventRecorder tells users what happened to their objects (events.k8s.io/v1), as `kubectl
// describe` shows it. Saying the same thing again within kSeriesWindow raises a count instead of
// making an object more.
//
// Threads:  Record() is safe from any thread and never blocks; one own thread writes.
// Owner:    wiring; Stop() (or the destructor) writes what is queued, for at most kFlushDeadline.
// Failure:  an event is a courtesy: it is tried a few times, then dropped and counted in
//           tracekeeper_events_dropped_total{reason}. Queue full: dropped, counted.
// Limits:   queue 1000; note 1024 bytes (cut at a character), reason and action 128; 4096 series.
// Secrets:  notes come from our own sentences; callers put no secret in.

#include <memory>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/metrics.h"
#include "src/kube/client.h"
#include "src/kube/meta.h"

namespace tracekeeper::kube {

/// What an Event is about.
struct ObjectReference {
  std::string api_version;
  std::string kind;
  ObjectKey key;
  std::string uid;
  std::string resource_version;
};

enum class EventType { kNormal, kWarning };

struct EventNote {
  ObjectReference regarding;
  EventType type = EventType::kNormal;
  std::string reason;  // CamelCase: "Injected"
  std::string action;  // what the controller did: "Reconcile"
  std::string note;    // one sentence; not part of what makes two events the same
};

class EventRecorder {
 public:
  struct Options {
    std::string reporting_controller;           // "example.com/controller"; also the field manager
    std::string reporting_instance;             // the pod's name
    std::string default_namespace = "default";  // for Events about objects of the cluster
  };

  static constexpr std::size_t kQueueLimit = 1000;
  static constexpr std::size_t kSeriesLimit = 4096;
  static constexpr Duration kSeriesWindow = std::chrono::minutes(6);
  static constexpr Duration kFlushDeadline = std::chrono::seconds(5);

  EventRecorder(Options options, Client& client, const Clock& clock, Metrics& metrics, Logger log);
  ~EventRecorder();

  void Start();
  void Record(EventNote note);
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tracekeeper::kube
