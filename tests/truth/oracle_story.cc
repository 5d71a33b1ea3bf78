#include "tests/truth/oracle_story.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

#include "tests/src/continuity/engine_verdicts.h"
#include "tests/truth/oracle_span.h"

namespace tracekeeper::truth {
namespace {

std::string BytesOf(int number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < sizeof(number); ++i) {
    bytes[7 - i] = static_cast<char>(static_cast<unsigned>(number) >> (8 * i));
  }
  return bytes;
}

}  // namespace

Verdicts Story::Judged() const {
  Verdicts judged = Judge(spans_, logs_, policy_);
  EXPECT_EQ(Difference(judged, continuity::JudgeByEngine(spans_, logs_, policy_)), "")
      << "the engine judges otherwise than the oracle";
  return judged;
}

std::string DifferenceOf(const OracleCase& row) {
  const Verdicts judged = row.story.Judged();
  Verdicts found;
  found.units = judged.units;
  found.findings = judged.findings;
  Verdicts expected;
  expected.units = row.units;
  expected.findings = row.findings;
  return Difference(expected, found);
}

std::string TraceIdOf(int trace) { return "\x01upper.\x02" + BytesOf(trace); }
std::string ShortTraceIdOf(int trace) { return std::string(8, '\0') + BytesOf(trace); }
std::string SpanIdOf(int span) { return BytesOf(span); }

std::uint64_t NanosecondsOf(std::int64_t milliseconds) {
  constexpr std::int64_t kStoryBegins = 1'700'000'000'000;
  return static_cast<std::uint64_t>(kStoryBegins + milliseconds) * 1'000'000U;
}

std::string Finding(const std::string& cause, int trace, int span) {
  return cause + " " + Hex(TraceIdOf(trace)) + " " + Hex(SpanIdOf(span));
}

std::string ShortFinding(const std::string& cause, int trace, int span) {
  return cause + " " + Hex(ShortTraceIdOf(trace)) + " " + Hex(SpanIdOf(span));
}

Story& Story::Add(const std::string& service, int id, int kind) {
  ModelSpan span;
  span.span_id = SpanIdOf(id);
  span.name = "work";
  span.scope = "library";
  span.kind = kind;
  span.resource = {{"service.name", service}};
  spans_.push_back(span);
  return In(1).At(0, 100).On(service + "-0");
}

Story& Story::In(int trace) { return InBytes(TraceIdOf(trace)); }
Story& Story::InShort(int trace) { return InBytes(ShortTraceIdOf(trace)); }

Story& Story::InBytes(const std::string& trace_id) {
  last().trace_id = trace_id;
  return *this;
}

Story& Story::Under(int parent) { return UnderBytes(SpanIdOf(parent)); }

Story& Story::UnderBytes(const std::string& parent) {
  last().parent_span_id = parent;
  return *this;
}

Story& Story::At(std::int64_t from, std::int64_t to) {
  last().start_nanoseconds = NanosecondsOf(from);
  last().end_nanoseconds = NanosecondsOf(to);
  return *this;
}

Story& Story::Unfinished() {
  last().end_nanoseconds = 0;
  return *this;
}

Story& Story::Named(const std::string& name) {
  last().name = name;
  return *this;
}

Story& Story::OfScope(const std::string& scope) {
  last().scope = scope;
  return *this;
}

Story& Story::On(const std::string& instance) {
  last().resource.resize(1);
  return Resource("service.instance.id", instance);
}

Story& Story::Flags(std::uint32_t flags) {
  last().flags = flags;
  return *this;
}

Story& Story::Tracestate(const std::string& text) {
  last().tracestate = text;
  return *this;
}

Story& Story::Failed(const std::string& message) {
  last().status = 2;
  last().status_message = message;
  return *this;
}

Story& Story::Linked() {
  last().links.emplace_back(TraceIdOf(77), SpanIdOf(77));
  return *this;
}

Story& Story::Says(const std::string& key, const std::string& value) {
  last().attributes.emplace_back(key, value);
  return *this;
}

Story& Story::Resource(const std::string& key, const std::string& value) {
  last().resource.emplace_back(key, value);
  return *this;
}

Story& Story::Log(const std::string& service, const std::string& trace_id,
                  const std::string& span_id, std::int64_t time, std::uint32_t flags) {
  LogOfUnknownInstance(service);
  ModelLog& log = logs_.back();
  log.trace_id = trace_id;
  log.span_id = span_id;
  log.time_nanoseconds = NanosecondsOf(time);
  log.flags = flags;
  log.resource.emplace_back("k8s.pod.uid", service + "-0");
  return *this;
}

Story& Story::LogOfUnknownInstance(const std::string& service) {
  ModelLog log;
  log.time_nanoseconds = NanosecondsOf(0);
  log.resource = {{"service.name", service}};
  logs_.push_back(log);
  return *this;
}

Story Story::Backwards() const {
  Story story = *this;
  std::reverse(story.spans_.begin(), story.spans_.end());
  return story;
}

Story& Story::EntryPoint(const std::string& service) {
  policy_.entrypoints.insert(service);
  return *this;
}

Story& Story::ExcludeScope(const std::string& scope) {
  policy_.excluded_scopes.insert(scope);
  return *this;
}

Story& Story::ExcludeName(const std::string& name) {
  policy_.excluded_span_names.insert(name);
  return *this;
}

Story& Story::ExcludeService(const std::string& service) {
  policy_.excluded_services.insert(service);
  return *this;
}

}  // namespace tracekeeper::truth
