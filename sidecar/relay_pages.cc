#include "sidecar/relay_pages.h"

#include <fmt/format.h>

#include "sidecar/metrics_text.h"
#include "sidecar/timestamp.h"

namespace tracekeeper::sidecar {
namespace {

using otlp::IndexOf;
using otlp::NameOf;
using otlp::RelayCounters;
using otlp::Signal;

std::uint64_t Received(const RelayCounters& counters, Signal signal) {
  std::uint64_t sum = 0;
  for (const auto ingress : otlp::kIngresses)
    sum += counters.received[IndexOf(signal)].Get(ingress);
  return sum;
}

std::uint64_t Dropped(const RelayCounters& counters, Signal signal) {
  std::uint64_t sum = 0;
  for (const auto reason : otlp::kDropReasons) sum += counters.dropped[IndexOf(signal)].Get(reason);
  return sum;
}

/// One word for scripts.
std::string_view StateOf(const RelayStatus& relay) {
  if (!relay.configured) return "waiting";
  if (relay.relay.delivery.destination.empty()) return "no_destination";
  return relay.relay.delivery.failing_since ? "failing" : "delivering";
}

void WriteSignals(codec::JsonWriter& json, const RelayStatus& relay,
                  const RelayCounters& counters) {
  json.BeginObject();
  for (const Signal signal : otlp::kSignals) {
    json.Key(NameOf(signal))
        .BeginObject()
        .Key("received")
        .Unsigned(Received(counters, signal))
        .Key("sent")
        .Unsigned(counters.sent[IndexOf(signal)])
        .Key("dropped")
        .Unsigned(Dropped(counters, signal))
        .Key("queued")
        .Unsigned(relay.relay.queued[IndexOf(signal)])
        .EndObject();
  }
  json.EndObject();
}

void Counter(std::string& out, std::string_view name, std::string_view help) {
  AppendFamily(out, name, "counter", help);
}

void AppendPerSignal(std::string& out, const RelayStatus& relay, const RelayCounters& counters) {
  Counter(out, "tracekeeper_sidecar_received_total",
          "Spans, data points and log records taken from the application.");
  for (const Signal signal : otlp::kSignals) {
    for (const auto ingress : otlp::kIngresses) {
      AppendSample(
          out,
          fmt::format("tracekeeper_sidecar_received_total{{signal=\"{}\",protocol=\"{}\"}}",
                      NameOf(signal), NameOf(ingress)),
          static_cast<double>(counters.received[IndexOf(signal)].Get(ingress)));
    }
  }
  Counter(out, "tracekeeper_sidecar_sent_total",
          "Spans, data points and log records that the backend took.");
  for (const Signal signal : otlp::kSignals) {
    AppendSample(out,
                 fmt::format("tracekeeper_sidecar_sent_total{{signal=\"{}\"}}", NameOf(signal)),
                 static_cast<double>(counters.sent[IndexOf(signal)]));
  }
  Counter(
      out, "tracekeeper_sidecar_dropped_total",
      "What was taken and will not be delivered, by reason. Received is always sent plus dropped "
      "plus queued.");
  for (const Signal signal : otlp::kSignals) {
    for (const auto reason : otlp::kDropReasons) {
      AppendSample(out,
                   fmt::format("tracekeeper_sidecar_dropped_total{{signal=\"{}\",reason=\"{}\"}}",
                               NameOf(signal), NameOf(reason)),
                   static_cast<double>(counters.dropped[IndexOf(signal)].Get(reason)));
    }
  }
  AppendFamily(out, "tracekeeper_sidecar_queue_items", "gauge",
               "Spans, data points and log records that wait for the backend.");
  for (const Signal signal : otlp::kSignals) {
    AppendSample(out,
                 fmt::format("tracekeeper_sidecar_queue_items{{signal=\"{}\"}}", NameOf(signal)),
                 static_cast<double>(relay.relay.queued[IndexOf(signal)]));
  }
  Counter(out, "tracekeeper_sidecar_batches_sent_total", "Requests that the backend took.");
  for (const Signal signal : otlp::kSignals) {
    AppendSample(
        out, fmt::format("tracekeeper_sidecar_batches_sent_total{{signal=\"{}\"}}", NameOf(signal)),
        static_cast<double>(counters.batches[IndexOf(signal)]));
  }
}

void AppendCredential(std::string& out, const RelayStatus& relay) {
  const CredentialReport credential = relay.credential.value_or(CredentialReport{});
  Counter(out, "tracekeeper_sidecar_credential_reloads_total",
          "Readings of the credential file that changed something, by what became of them.");
  AppendSample(out, "tracekeeper_sidecar_credential_reloads_total{result=\"applied\"}",
               static_cast<double>(credential.loaded));
  AppendSample(out, "tracekeeper_sidecar_credential_reloads_total{result=\"refused\"}",
               static_cast<double>(credential.refused));
}

}  // namespace

void WriteRelay(codec::JsonWriter& json, const RelayStatus& relay, const RelayCounters& counters) {
  const otlp::Delivery& delivery = relay.relay.delivery;
  json.BeginObject().Member("state", StateOf(relay));
  if (!delivery.destination.empty()) json.Member("destination", delivery.destination);
  if (!delivery.problem.empty()) json.Member("problem", delivery.problem);
  if (delivery.failing_since) json.Member("failingSince", Timestamp(*delivery.failing_since));
  if (delivery.last_success) json.Member("lastSuccess", Timestamp(*delivery.last_success));
  if (!relay.problem.empty()) json.Member("exportProblem", relay.problem);
  json.Key("listeners").BeginArray();
  for (const Listening& listener : relay.listeners) {
    json.BeginObject().Member("protocol", listener.protocol).Key("port").Integer(listener.port);
    if (!listener.problem.empty()) json.Member("problem", listener.problem);
    json.EndObject();
  }
  json.EndArray();
  json.Key("queueBytes").Unsigned(relay.relay.queue_bytes);
  json.Key("queueBudgetBytes").Unsigned(relay.relay.queue_budget);
  json.Key("signals");
  WriteSignals(json, relay, counters);
  json.EndObject();
}

void WriteCredentials(codec::JsonWriter& json, const RelayStatus& relay) {
  json.BeginArray();
  if (relay.credential) {
    const CredentialReport& credential = *relay.credential;
    json.BeginObject()
        .Member("name", "export")
        .Member("file", credential.file)
        .Member("version", credential.version);
    if (credential.number) json.Key("rotationVersion").Integer(*credential.number);
    if (credential.since) json.Member("since", Timestamp(*credential.since));
    if (!credential.problem.empty()) json.Member("problem", credential.problem);
    json.EndObject();
  }
  json.EndArray();
}

void AppendRelayMetrics(std::string& out, const RelayStatus& relay, const RelayCounters& counters) {
  AppendPerSignal(out, relay, counters);
  Counter(
      out, "tracekeeper_sidecar_refused_requests_total",
      "Requests of the application that were answered with an error, by reason; nothing of them "
      "was taken.");
  for (const auto reason : otlp::kRefuseReasons) {
    AppendSample(
        out,
        fmt::format("tracekeeper_sidecar_refused_requests_total{{reason=\"{}\"}}", NameOf(reason)),
        static_cast<double>(counters.refused.Get(reason)));
  }
  Counter(out, "tracekeeper_sidecar_retried_total", "Attempts to deliver a batch after its first.");
  AppendSample(out, "tracekeeper_sidecar_retried_total", static_cast<double>(counters.retried));
  Counter(out, "tracekeeper_sidecar_shed_traces_total",
          "Traces left out as a whole to keep within the queue's budget.");
  AppendSample(out, "tracekeeper_sidecar_shed_traces_total",
               static_cast<double>(counters.shed_traces));
  AppendFamily(out, "tracekeeper_sidecar_queue_bytes", "gauge",
               "Bytes that wait for the backend, those under way with them.");
  AppendSample(out, "tracekeeper_sidecar_queue_bytes",
               static_cast<double>(relay.relay.queue_bytes));
  AppendFamily(out, "tracekeeper_sidecar_queue_budget_bytes", "gauge",
               "What tracekeeper_sidecar_queue_bytes may be.");
  AppendSample(out, "tracekeeper_sidecar_queue_budget_bytes",
               static_cast<double>(relay.relay.queue_budget));
  AppendFamily(out, "tracekeeper_sidecar_export_failing", "gauge",
               "1 while attempts to deliver fail; the reason is in /status.");
  AppendSample(out, "tracekeeper_sidecar_export_failing",
               relay.relay.delivery.failing_since ? 1 : 0);
  AppendCredential(out, relay);
}

std::string ListeningProblem(const RelayStatus& relay) {
  for (const Listening& listener : relay.listeners) {
    if (!listener.problem.empty()) return listener.problem;
  }
  return {};
}

}  // namespace tracekeeper::sidecar
