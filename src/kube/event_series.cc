#include "src/kube/event_series.h"

#include <fmt/core.h>

#include <algorithm>

#include "src/codec/json_writer.h"
#include "src/kube/timestamp.h"

namespace tracekeeper::kube {
namespace {

constexpr std::size_t kNoteLimit = 1024;
constexpr std::size_t kWordLimit = 128;
constexpr std::size_t kNameLimit = 253;

/// At most `limit` bytes, and not cut within a UTF-8 character.
std::string_view Cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
  return text.substr(0, limit);
}

std::string_view NameOf(EventType type) {
  return type == EventType::kNormal ? "Normal" : "Warning";
}

/// What makes two notes the same event. The note itself is not part of it.
std::string SeriesOf(const EventNote& note) {
  const ObjectReference& object = note.regarding;
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", NameOf(note.type), note.reason, note.action,
                     object.api_version, object.kind, object.key.namespace_name, object.key.name,
                     object.uid);
}

/// Names of cluster roles and the like may hold what an Event's name may not.
std::string AsNamePart(std::string_view name, std::size_t limit) {
  std::string part(name.substr(0, limit));
  for (char& c : part) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    if (!is_plain) c = '-';
  }
  while (!part.empty() && (part.back() == '-' || part.back() == '.')) part.pop_back();
  return part.empty() ? "event" : part;
}

void WriteReference(codec::JsonWriter& json, const ObjectReference& object) {
  json.BeginObject()
      .Member("apiVersion", object.api_version)
      .Member("kind", object.kind)
      .Member("name", object.key.name);
  if (!object.key.namespace_name.empty()) json.Member("namespace", object.key.namespace_name);
  if (!object.uid.empty()) json.Member("uid", object.uid);
  if (!object.resource_version.empty()) json.Member("resourceVersion", object.resource_version);
  json.EndObject();
}

}  // namespace

std::optional<EventWrite> EventSeries::Observe(const EventNote& note, Instant seen,
                                               MonotonicTime now) {
  const std::string series = SeriesOf(note);
  const auto found = series_.find(series);
  if (found != series_.end() && now - found->second.last_note <= EventRecorder::kSeriesWindow) {
    Entry& entry = found->second;
    ++entry.count;
    entry.last_seen = seen;
    entry.last_note = now;
    if (entry.count == 2) return Patch(series, entry, now);
    return std::nullopt;
  }
  if (found == series_.end()) MakeRoom();
  const ObjectKey event = NewName(note, seen);
  series_[series] = Entry{.event = event, .last_seen = seen, .last_note = now, .last_write = now};
  return EventWrite{EventWrite::Verb::kCreate, event, CreateJson(note, event, seen), series};
}

std::vector<EventWrite> EventSeries::TakeDue(MonotonicTime now) {
  std::vector<EventWrite> writes;
  for (auto entry = series_.begin(); entry != series_.end();) {
    const bool is_over = now - entry->second.last_note > EventRecorder::kSeriesWindow;
    const bool is_stale = entry->second.count != entry->second.written_count;
    if (is_stale && (is_over || now - entry->second.last_write >= kRefresh)) {
      writes.push_back(Patch(entry->first, entry->second, now));
    }
    entry = is_over ? series_.erase(entry) : std::next(entry);
  }
  return writes;
}

std::vector<EventWrite> EventSeries::TakeAll() {
  std::vector<EventWrite> writes;
  for (auto& [series, entry] : series_) {
    if (entry.count != entry.written_count) {
      writes.push_back(Patch(series, entry, entry.last_write));
    }
  }
  return writes;
}

EventWrite EventSeries::Patch(const std::string& series, Entry& entry, MonotonicTime now) {
  entry.written_count = entry.count;
  entry.last_write = now;
  codec::JsonWriter json;
  json.BeginObject()
      .Key("series")
      .BeginObject()
      .Key("count")
      .Integer(entry.count)
      .Member("lastObservedTime", FormatMicroTimestamp(entry.last_seen))
      .EndObject()
      .EndObject();
  return {EventWrite::Verb::kPatch, entry.event, json.Take(), series};
}

std::string EventSeries::CreateJson(const EventNote& note, const ObjectKey& event,
                                    Instant seen) const {
  codec::JsonWriter json;
  json.BeginObject()
      .Member("apiVersion", kEvents.ApiVersion())
      .Member("kind", kEvents.kind)
      .Key("metadata")
      .BeginObject()
      .Member("namespace", event.namespace_name)
      .Member("name", event.name)
      .EndObject()
      .Member("eventTime", FormatMicroTimestamp(seen))
      .Member("reportingController", options_.reporting_controller)
      .Member("reportingInstance", Cut(options_.reporting_instance, kWordLimit))
      .Member("type", NameOf(note.type))
      .Member("reason", Cut(note.reason, kWordLimit))
      .Member("action", Cut(note.action, kWordLimit))
      .Member("note", Cut(note.note, kNoteLimit))
      .Key("regarding");
  WriteReference(json, note.regarding);
  json.EndObject();
  return json.Take();
}

ObjectKey EventSeries::NewName(const EventNote& note, Instant seen) {
  // As client-go: the object's name and the time, here made unique among our own.
  last_stamp_ = std::max<std::int64_t>(last_stamp_ + 1, seen.time_since_epoch().count());
  const std::string stamp = fmt::format("{:x}", last_stamp_);
  const std::string& space = note.regarding.key.namespace_name;
  return {space.empty() ? options_.default_namespace : space,
          AsNamePart(note.regarding.key.name, kNameLimit - stamp.size() - 1) + "." + stamp};
}

void EventSeries::MakeRoom() {
  if (series_.size() < EventRecorder::kSeriesLimit) return;
  const auto quietest = std::min_element(
      series_.begin(), series_.end(),
      [](const auto& a, const auto& b) { return a.second.last_note < b.second.last_note; });
  series_.erase(quietest);
}

}  // namespace tracekeeper::kube
