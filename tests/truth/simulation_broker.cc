#include "tests/truth/simulation_broker.h"

#include <algorithm>
#include <utility>

namespace tracekeeper::truth {
namespace {

constexpr std::size_t kMostRecords = 100;  // of one poll

}  // namespace

SpanSpec Broker::Span(std::string_view operation, std::string_view type, int kind) const {
  SpanSpec span{
      .name = topic_ + " " + std::string(operation), .kind = kind, .scope = "kafka-clients"};
  span.attributes = {{"messaging.system", "kafka"},
                     {"messaging.destination.name", topic_},
                     {"messaging.operation.name", std::string(operation)},
                     {"messaging.operation.type", std::string(type)}};
  return span;
}

void Broker::Publish(Thread& thread, const Context& context) {
  const Context producer = runtime_.Start(thread, context, Span("publish", "send", kProducer));
  Message message;
  if (producer.record != kNoSpan) {
    message.wire.sender = producer.record;
    message.wire.journey = producer.journey;
    message.wire.context_lost = runtime_.Strikes(Fault::kProducerNotInjecting, producer);
    if (!message.wire.context_lost) {
      InjectW3c(producer.span, message.wire.headers);
    }
    runtime_.Work(thread, producer, kMillisecond, 6 * kMillisecond);
    message.available_at = thread.now;
    runtime_.End(thread, producer);
    for (const Subscriber& subscriber : subscribers_) {
      Deliver(message, subscriber.service, subscriber.work);
    }
    for (const std::vector<std::size_t>& queues : partitions_) {
      queues_[queues[runtime_.random().Below(queues.size())]].messages.push_back(message);
    }
  }
}

void Broker::Push(ServiceName service, Work work) {
  subscribers_.push_back({service, std::move(work)});
}

void Broker::Deliver(const Message& message, ServiceName service, const Work& work) {
  const Moment arrival =
      message.available_at + runtime_.random().Skewed(3 * kMillisecond, 80 * kMillisecond);
  runtime_.scheduler().At(arrival, [this, message, service, &work](Moment now) {
    Thread thread{runtime_.PickInstance(service), now};
    SpanSpec span = Span("process", "process", kConsumer);
    span.entry = true;
    const Context consumer =
        runtime_.Start(thread, network_.Extract(thread, message.wire), std::move(span));
    if (message.wire.context_lost) {
      runtime_.Plant("message_without_context", consumer);
    }
    work(thread, consumer);
    runtime_.End(thread, consumer);
  });
}

void Broker::Poll(ServiceName service, Moment period, Moment stop, const Work& work) {
  Subscribe(Way::kPoll, service, period, stop, work);
}

void Broker::Batch(ServiceName service, Moment period, Moment stop, const Work& work) {
  Subscribe(Way::kBatch, service, period, stop, work);
}

void Broker::Subscribe(Way way, ServiceName service, Moment period, Moment stop, const Work& work) {
  std::vector<std::size_t>& queues = partitions_.emplace_back();
  for (const std::size_t instance : runtime_.topology().Of(service).instances) {
    queues.push_back(queues_.size());
    queues_.push_back({way, instance, period, stop, work, {}});
    const Moment first = kStartOfTime + runtime_.random().Between(1, period);
    runtime_.scheduler().At(
        first, [this, queue = queues_.size() - 1](Moment now) { Receive(queue, now); });
  }
}

void Broker::Receive(std::size_t index, Moment now) {
  Queue& queue = queues_[index];
  std::vector<Message> messages;
  std::deque<Message> later;  // their producers run ahead of this moment
  for (Message& message : queue.messages) {
    if (message.available_at <= now && messages.size() < kMostRecords) {
      messages.push_back(std::move(message));
    } else {
      later.push_back(std::move(message));
    }
  }
  queue.messages = std::move(later);
  Thread thread{queue.instance, now};
  if (!messages.empty()) {
    if (queue.way == Way::kPoll) {
      ReceivePoll(queue, messages, thread);
    } else {
      ReceiveBatch(queue, messages, thread);
    }
  }
  if (now < queue.stop || !queue.messages.empty()) {
    runtime_.scheduler().At(std::max(now + queue.period, thread.now),
                            [this, index](Moment next) { Receive(index, next); });
  }
}

void Broker::ReceivePoll(Queue& queue, const std::vector<Message>& messages, Thread& thread) {
  const Context poll =
      runtime_.Start(thread, runtime_.Background(), Span("poll", "receive", kConsumer));
  runtime_.Work(thread, poll, 300 * kMicrosecond, 2 * kMillisecond);
  runtime_.End(thread, poll);
  for (const Message& message : messages) {
    const Context process = runtime_.Start(thread, poll, Span("process", "process", kConsumer));
    runtime_.Link(process, network_.Extract(thread, message.wire).span);
    queue.work(thread, process);
    runtime_.End(thread, process);
  }
}

void Broker::ReceiveBatch(Queue& queue, const std::vector<Message>& messages, Thread& thread) {
  SpanSpec span = Span("process", "process", kConsumer);
  span.entry = true;
  span.attributes.emplace_back("messaging.batch.message_count", std::to_string(messages.size()));
  const Context batch = runtime_.Start(thread, runtime_.Background(), std::move(span));
  bool linked = false;
  for (const Message& message : messages) {
    const SpanContext producer = network_.Extract(thread, message.wire).span;
    linked = linked || producer.valid();
    runtime_.Link(batch, producer);
  }
  if (!linked) {
    runtime_.Plant("message_without_context", batch);
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    queue.work(thread, batch);
  }
  runtime_.End(thread, batch);
}

}  // namespace tracekeeper::truth
