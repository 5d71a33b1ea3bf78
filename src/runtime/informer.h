#pragma once
// Informer is a Store and the Reflector that fills it, on a thread of its own. One per resource,
// projection and selection, shared by all controllers of the program.
//
//   Informer<Pod> pods({.resource = kube::kPods}, ProjectPod, client, clock, log);
//   manager.Add(Phase::kCache, pods);
//
// Threads:  store() is safe from any thread (see store.h).
// Owner:    the program's wiring; the Manager starts and stops it. Client and clock outlive it.
// Failure:  WaitUntilReady fails when stop is asked for before the first full set has arrived, and
//           then says what the last trouble was.

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/kube/client.h"
#include "src/runtime/reflector.h"
#include "src/runtime/runnable.h"
#include "src/runtime/store.h"

namespace tracekeeper::runtime {

/// The part of an Informer that does not depend on T.
class ReflectorThread {
 public:
  ReflectorThread(const ReflectorOptions& options, kube::Client& client, ReflectorSink& sink,
                  const Clock& clock, const Logger& log);
  ~ReflectorThread();

  Status Start();
  void Stop();
  /// Returns when the first full set is in the sink, or `stop` is asked for.
  Status WaitForSync(const StopToken& stop);
  [[nodiscard]] Status Check() const;
  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] ReflectorStatus status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

template <typename T>
class Informer final : public Runnable {
 public:
  Informer(const ReflectorOptions& options, typename Store<T>::Project project,
           kube::Client& client, const Clock& clock, const Logger& log)
      : store_(options.resource.QualifiedName(), std::move(project), log),
        thread_(options, client, store_, clock, log) {}

  [[nodiscard]] Store<T>& store() { return store_; }
  [[nodiscard]] const Store<T>& store() const { return store_; }

  /// "informer-pods"
  [[nodiscard]] std::string_view name() const override { return thread_.name(); }
  Status Start() override { return thread_.Start(); }
  Status WaitUntilReady(const StopToken& stop) override { return thread_.WaitForSync(stop); }
  void Stop() override { thread_.Stop(); }

  /// For readyz: fails until the first full set has arrived.
  [[nodiscard]] Status Check() const { return thread_.Check(); }
  [[nodiscard]] ReflectorStatus status() const { return thread_.status(); }

 private:
  Store<T> store_;
  ReflectorThread thread_;
};

}  // namespace tracekeeper::runtime
