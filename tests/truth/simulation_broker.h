#pragma once
// A message broker that is not instrumented, its producers, and three ways to consume: pushed one
// by one, polled, and in batches.
//
// Threads:  one thread.

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "tests/truth/simulation_network.h"

namespace tracekeeper::truth {

struct Message {
  Wire wire;
  Moment available_at = 0;
};

class Broker {
 public:
  /// What a consumer does with a message, in its own time.
  using Work = std::function<void(Thread&, const Context&)>;

  Broker(Runtime& runtime, Network& network, std::string topic)
      : runtime_(runtime), network_(network), topic_(std::move(topic)) {}

  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  void Publish(Thread& thread, const Context& context);

  /// Each message goes to an instance of `service` when it comes; its context becomes the parent.
  void Push(ServiceName service, Work work);
  /// Each instance asks for its partition every `period` until `stop`. The poll is a root; each
  /// message is processed below it, with a link to its producer.
  void Poll(ServiceName service, Moment period, Moment stop, const Work& work);
  /// The same, with one span for all messages of a time, linked to the producers of each.
  void Batch(ServiceName service, Moment period, Moment stop, const Work& work);

 private:
  enum class Way { kPoll, kBatch };
  struct Queue {
    Way way = Way::kPoll;
    std::size_t instance = 0;
    Moment period = 0;
    Moment stop = 0;
    Work work;
    std::deque<Message> messages;
  };

  void Subscribe(Way way, ServiceName service, Moment period, Moment stop, const Work& work);
  SpanSpec Span(std::string_view operation, std::string_view type, int kind) const;
  void Receive(std::size_t queue, Moment now);
  void ReceivePoll(Queue& queue, const std::vector<Message>& messages, Thread& thread);
  void ReceiveBatch(Queue& queue, const std::vector<Message>& messages, Thread& thread);
  void Deliver(const Message& message, ServiceName service, const Work& work);

  struct Subscriber {
    ServiceName service;
    Work work;
  };

  Runtime& runtime_;
  Network& network_;
  std::string topic_;
  std::deque<Subscriber> subscribers_;
  std::deque<Queue> queues_;
  std::vector<std::vector<std::size_t>> partitions_;  // of each group of consumers: its queues
};

}  // namespace tracekeeper::truth
