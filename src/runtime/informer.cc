#include "src/runtime/informer.h"

#include <random>

namespace tracekeeper::runtime {

struct ReflectorThread::State {
  State(const ReflectorOptions& options, kube::Client& client, ReflectorSink& sink,
        const Clock& clock, const Logger& log)
      : name("informer-" + options.resource.QualifiedName()),
        reflector(options, client, sink, clock, [this] { return uniform(random); }, log) {}

  const std::string name;
  // Drawn from by the reflector's thread alone.
  std::mt19937_64 random{std::random_device{}()};
  std::uniform_real_distribution<double> uniform{0.0, 1.0};
  Reflector reflector;
  std::jthread thread;
};

ReflectorThread::ReflectorThread(const ReflectorOptions& options, kube::Client& client,
                                 ReflectorSink& sink, const Clock& clock, const Logger& log)
    : state_(std::make_unique<State>(options, client, sink, clock, log)) {}

ReflectorThread::~ReflectorThread() { Stop(); }

Status ReflectorThread::Start() {
  state_->thread =
      std::jthread([state = state_.get()](const StopToken& stop) { state->reflector.Run(stop); });
  return {};
}

void ReflectorThread::Stop() { state_->thread = std::jthread(); }

Status ReflectorThread::WaitForSync(const StopToken& stop) {
  if (state_->reflector.WaitForSync(stop)) return {};
  return Check();
}

Status ReflectorThread::Check() const {
  const ReflectorStatus status = state_->reflector.status();
  if (status.syncs > 0) return {};
  if (status.last_error.empty()) {
    return Fail(ErrorKind::kTimeout, "the first list has not arrived yet ({})",
                NameOf(status.state));
  }
  return Fail(ErrorKind::kTimeout, "the first list has not arrived yet ({}): {}",
              NameOf(status.state), status.last_error);
}

const std::string& ReflectorThread::name() const { return state_->name; }

ReflectorStatus ReflectorThread::status() const { return state_->reflector.status(); }

}  // namespace tracekeeper::runtime
