#include "tests/bench/pod_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tracekeeper::bench {
namespace {

constexpr std::size_t kPodBytes = 6700;
constexpr std::size_t kManagedBytes = kPodBytes * 2 / 5;
constexpr std::size_t kEnvironmentBytes = 3100;
constexpr std::size_t kPieceBytes = 64U << 10U;  // what a socket gives at once

// `unit` once for each number from 0 on, with the number in place of '#', until `size` is reached.
std::string MakeFill(std::string_view unit, std::size_t size) {
  const std::size_t place = unit.find('#');
  std::string text;
  for (int number = 0; text.size() < size; ++number) {
    text += fmt::format("{}{}{}", unit.substr(0, place), number, unit.substr(place + 1));
  }
  return text;
}

// What is the same in every pod: containers, conditions, managedFields.
const std::string& ManagedFields() {
  static const std::string text =
      R"([{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1",)"
      R"("fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{})" +
      MakeFill(R"(,"f:team.example/setting-#":{})", kManagedBytes - 180) + "}}}}]";
  return text;
}

const std::string& SpecAndStatus() {
  static const std::string env =
      MakeFill(R"({"name":"DATABASE_URL_#","value":"postgres://db.shop:5432/checkout"},)",
               kEnvironmentBytes);
  static const std::string text =
      R"("containers":[{"name":"app","image":"registry.example/shop/checkout:v1.42.0","env":[)" +
      env +
      R"({"name":"LAST","value":"1"}],"resources":{"limits":{"cpu":"1","memory":"512Mi"}}}]},)"
      R"("status":{"phase":"Running","conditions":[{"type":"PodScheduled","status":"True"},)"
      R"({"type":"Ready","status":"True"}],"podIP":"10.1.2.3"}})";
  return text;
}

std::string Bookmark(std::uint64_t version) {
  return fmt::format(
      R"({{"type":"BOOKMARK","object":{{"kind":"Pod","apiVersion":"v1","metadata":)"
      R"({{"resourceVersion":"{}","annotations":{{"k8s.io/initial-events-end":"true"}}}}}}}})"
      "\n",
      version);
}

}  // namespace

std::string MakePodJson(int number, std::uint64_t version) {
  const int app = number % 500;
  return fmt::format(
             R"({{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"app-{0}-6d4cf56db6-{1:05x}",)"
             R"("namespace":"team-{2}","uid":"0a1b2c3d-0000-4000-8000-{1:012x}",)"
             R"("resourceVersion":"{3}","creationTimestamp":"2026-01-02T03:04:05Z","labels":{{)"
             R"("app":"app-{0}","app.kubernetes.io/name":"app-{0}","app.kubernetes.io/part-of":)"
             R"("shop","pod-template-hash":"6d4cf56db6","tier":"backend","team":"team-{2}"}},)"
             R"("annotations":{{"kubernetes.io/config.source":"api"}},"ownerReferences":[{{)"
             R"("apiVersion":"apps/v1","kind":"ReplicaSet","name":"app-{0}-6d4cf56db6","uid":)"
             R"("0a1b2c3d-0000-4000-9000-{0:012x}","controller":true}}],"managedFields":)",
             app, number, app % 50, version) +
         ManagedFields() + fmt::format(R"(}},"spec":{{"nodeName":"node-{}",)", number % 100) +
         SpecAndStatus();
}

void PodSource::ExpireWatch() {
  const std::scoped_lock lock(mutex_);
  expired_ = true;
  changed_.notify_all();
}

void PodSource::SendEvent(std::string_view line) {
  const std::scoped_lock lock(mutex_);
  pending_ += line;
  changed_.notify_all();
}

Result<net::Response> PodSource::Send(const net::Request& request, const net::CallOptions&,
                                      const StopToken&) {
  return Fail(ErrorKind::kInvalid, "the pod source answers no {} {}", request.method,
              request.target);
}

Status PodSource::Stream(const net::Request& request, net::StreamSink& sink,
                         const net::CallOptions&, const StopToken& stop) {
  if (net::QueryParameter(request.target, "watch").empty()) return SendList(request, sink);
  const bool initial = net::QueryParameter(request.target, "sendInitialEvents") == "true";
  if (initial && !watch_list_) {
    TRY(sink.OnHead(422, {{"Content-Type", "application/json"}}));
    return sink.OnBytes(R"({"kind":"Status","code":422,"reason":"Invalid","message":"no"})");
  }
  TRY(sink.OnHead(200, {{"Content-Type", "application/json"}}));
  if (initial) TRY(SendInitialEvents(sink));
  return Follow(sink, stop);
}

Status PodSource::SendList(const net::Request& request, net::StreamSink& sink) {
  const std::string limit = net::QueryParameter(request.target, "limit");
  const std::string token = net::QueryParameter(request.target, "continue");
  const int first = token.empty() ? 0 : std::stoi(token);
  const int last = limit.empty() ? pods_ : std::min(pods_, first + std::stoi(limit));
  if (first == 0) ++version_;
  TRY(sink.OnHead(200, {{"Content-Type", "application/json"}}));
  std::string buffer = fmt::format(
      R"({{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"{}","continue":"{}"}},"items":[)",
      version_, last < pods_ ? std::to_string(last) : "");
  for (int number = first; number < last; ++number) {
    if (number > first) buffer += ',';
    buffer += MakePodJson(number, version_);
    TRY(Flush(sink, buffer, kPieceBytes));
  }
  buffer += "]}";
  return Flush(sink, buffer, 0);
}

Status PodSource::SendInitialEvents(net::StreamSink& sink) {
  ++version_;
  std::string buffer;
  for (int number = 0; number < pods_; ++number) {
    buffer += R"({"type":"ADDED","object":)" + MakePodJson(number, version_) + "}\n";
    TRY(Flush(sink, buffer, kPieceBytes));
  }
  buffer += Bookmark(version_);
  return Flush(sink, buffer, 0);
}

Status PodSource::Follow(net::StreamSink& sink, const StopToken& stop) {
  std::unique_lock lock(mutex_);
  has_watch_ = true;
  while (changed_.wait(lock, stop, [this] { return expired_ || !pending_.empty(); })) {
    std::string bytes = std::exchange(pending_, {});
    const bool ends = std::exchange(expired_, false);
    if (ends) {
      bytes += R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})"
               "\n";
    }
    lock.unlock();
    const Status sent = Flush(sink, bytes, 0);
    lock.lock();
    has_watch_ = has_watch_ && !ends;
    if (!sent || ends) return sent;
  }
  has_watch_ = false;
  return Fail(ErrorKind::kCancelled, "stopped");
}

Status PodSource::Flush(net::StreamSink& sink, std::string& buffer, std::size_t threshold) {
  if (buffer.size() < threshold) return {};
  bytes_sent_ += buffer.size();
  TRY(sink.OnBytes(buffer));
  buffer.clear();
  return {};
}

}  // namespace tracekeeper::bench
