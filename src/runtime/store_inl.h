#pragma once
// The bodies of Store's methods. Included by store.h alone.

#include <algorithm>
#include <utility>

#include "src/runtime/store.h"

namespace tracekeeper::runtime {

template <typename T>
IndexId Store<T>::AddIndex(IndexFunction function) {
  const std::unique_lock lock(data_);
  indexes_.push_back({std::move(function), {}});
  return IndexId(indexes_.size() - 1);
}

template <typename T>
void Store<T>::AddHandler(Handler handler) {
  const std::scoped_lock delivery(delivery_);
  for (Object& object : List()) {
    handler({.kind = ChangeKind::kAdded,
             .before = nullptr,
             .after = std::move(object),
             .origin = Origin::kInitialList});
  }
  handlers_.push_back(std::move(handler));
}

template <typename T>
auto Store<T>::Find(const kube::ObjectKey& key) const -> Object {
  const std::shared_lock lock(data_);
  const Entry* entry = FindEntry({key.namespace_name, key.name});
  return entry == nullptr ? nullptr : entry->object;
}

template <typename T>
auto Store<T>::List() const -> std::vector<Object> {
  const std::shared_lock lock(data_);
  std::vector<Object> objects;
  objects.reserve(entries_.size());
  for (const Entry& entry : entries_) objects.push_back(entry.object);
  return objects;
}

template <typename T>
auto Store<T>::Lookup(IndexId index, std::string_view value) const -> std::vector<Object> {
  const std::shared_lock lock(data_);
  std::vector<Object> objects;
  const auto& by_value = indexes_.at(static_cast<std::size_t>(index)).objects;
  if (const auto found = by_value.find(value); found != by_value.end()) {
    objects.reserve(found->second.size());
    for (const Entry* entry : found->second) objects.push_back(entry->object);
  }
  return objects;
}

template <typename T>
std::size_t Store<T>::Count(IndexId index, std::string_view value) const {
  const std::shared_lock lock(data_);
  const auto& by_value = indexes_.at(static_cast<std::size_t>(index)).objects;
  const auto found = by_value.find(value);
  return found == by_value.end() ? 0 : found->second.size();
}

template <typename T>
std::size_t Store<T>::size() const {
  const std::shared_lock lock(data_);
  return entries_.size();
}

template <typename T>
bool Store<T>::synced() const {
  const std::shared_lock lock(data_);
  return synced_;
}

template <typename T>
void Store<T>::BeginReplace() {
  ++mark_;
}

template <typename T>
void Store<T>::Upsert(codec::JsonValue object) {
  const codec::JsonValue meta = object["metadata"];
  const Uid uid = ParseUid(meta["uid"].StringOr(""));
  const VersionNumber version = ParseVersion(meta["resourceVersion"].StringOr(""));

  // Only this thread writes, so reading without the lock is safe here.
  const Entry* known = FindEntry({meta["namespace"].StringOr(""), meta["name"].StringOr("")});
  if (known != nullptr) known->mark = mark_;
  // A relist names mostly what is known already: no work, no event.
  if (known != nullptr && known->uid == uid && known->version == version && version != 0) return;

  Result<T> projected = project_(object);
  if (!projected) {
    Broken(kube::ObjectKey{std::string(meta["namespace"].StringOr("")),
                           std::string(meta["name"].StringOr(""))},
           projected.error());
    return;
  }
  Entry entry{std::make_shared<const T>(*std::move(projected)), uid, version, mark_};
  const std::scoped_lock delivery(delivery_);
  if (known != nullptr && !(known->uid == uid)) {
    RemoveEntry(known, known->object, Certainty::kInferred);
    known = nullptr;
  }
  Change<T> change{.kind = known == nullptr ? ChangeKind::kAdded : ChangeKind::kUpdated,
                   .before = known == nullptr ? nullptr : known->object,
                   .after = entry.object,
                   .origin = synced_ ? Origin::kNews : Origin::kInitialList};
  Put(known, std::move(entry));
  Deliver(change);
}

template <typename T>
void Store<T>::Remove(codec::JsonValue object) {
  const codec::JsonValue meta = object["metadata"];
  const Entry* known = FindEntry({meta["namespace"].StringOr(""), meta["name"].StringOr("")});
  if (known == nullptr) return;
  Result<T> last = project_(object);
  const std::scoped_lock delivery(delivery_);
  RemoveEntry(known, last ? std::make_shared<const T>(*std::move(last)) : known->object,
              Certainty::kSeen);
}

template <typename T>
void Store<T>::Broken(const std::optional<kube::ObjectKey>& key, const Error& error) {
  if (key) {
    if (const Entry* known = FindEntry({key->namespace_name, key->name})) known->mark = mark_;
  }
  log_.Warn("Left out an object that cannot be read",
            {{"resource", name_}, {"object", key ? key->ToString() : "?"}, {"error", error}});
}

template <typename T>
void Store<T>::EndReplace() {
  std::vector<const Entry*> gone;
  for (const Entry& entry : entries_) {
    if (entry.mark != mark_) gone.push_back(&entry);
  }
  const std::scoped_lock delivery(delivery_);
  for (const Entry* entry : gone) RemoveEntry(entry, entry->object, Certainty::kInferred);
  const std::unique_lock lock(data_);
  synced_ = true;
}

template <typename T>
void Store<T>::Redeliver() {
  const std::scoped_lock delivery(delivery_);
  for (const Object& object : List()) {
    Deliver({.kind = ChangeKind::kUpdated,
             .before = object,
             .after = object,
             .origin = Origin::kRedelivery});
  }
}

template <typename T>
auto Store<T>::FindEntry(KeyView key) const -> const Entry* {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &*found;
}

// Puts `entry` in place of `known`, or beside the others when that is null. The entry's node, to
// which the indexes point, stays the same.
template <typename T>
void Store<T>::Put(const Entry* known, Entry entry) {
  const std::unique_lock lock(data_);
  if (known == nullptr) {
    const Entry& placed = *entries_.insert(std::move(entry)).first;
    for (Index& index : indexes_) AddTo(index, index.function(*placed.object), &placed);
    return;
  }
  for (Index& index : indexes_) {
    std::vector<std::string> before = index.function(*known->object);
    std::vector<std::string> after = index.function(*entry.object);
    if (before == after) continue;
    RemoveFrom(index, before, known);
    AddTo(index, std::move(after), known);
  }
  auto node = entries_.extract(entries_.find(ViewOf(*known)));
  node.value() = std::move(entry);
  entries_.insert(std::move(node));
}

template <typename T>
void Store<T>::AddTo(Index& index, std::vector<std::string> values, const Entry* entry) {
  for (std::string& value : values) index.objects[std::move(value)].insert(entry);
}

template <typename T>
void Store<T>::RemoveFrom(Index& index, const std::vector<std::string>& values,
                          const Entry* entry) {
  for (const std::string& value : values) {
    const auto found = index.objects.find(value);
    if (found == index.objects.end()) continue;
    found->second.erase(entry);
    if (found->second.empty()) index.objects.erase(found);
  }
}

// Under delivery_.
template <typename T>
void Store<T>::RemoveEntry(const Entry* entry, Object last_state, Certainty certainty) {
  {
    const std::unique_lock lock(data_);
    for (Index& index : indexes_) RemoveFrom(index, index.function(*entry->object), entry);
    entries_.erase(entries_.find(ViewOf(*entry)));
  }
  Deliver({.kind = ChangeKind::kDeleted,
           .before = std::move(last_state),
           .after = nullptr,
           .origin = Origin::kNews,
           .certainty = certainty});
}

// Under delivery_.
template <typename T>
void Store<T>::Deliver(const Change<T>& change) {
  for (const Handler& handler : handlers_) handler(change);
}

}  // namespace tracekeeper::runtime
