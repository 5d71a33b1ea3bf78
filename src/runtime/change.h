#pragma once
// Change is what a Store tells its handlers, and the handlers that everybody needs: enqueue the
// object, what it maps to, or only some changes.
//
// Threads:  handlers run on the store's delivery thread; see store.h.

#include <concepts>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "src/kube/meta.h"
#include "src/runtime/work_queue.h"

namespace tracekeeper::runtime {

/// How a deletion is known.
enum class Certainty {
  kSeen,      // an event said so; `before` is the last state
  kInferred,  // the object was missing from a later list; its last state may not have been seen
};

enum class Origin {
  kInitialList,  // there when the cache or the handler began
  kNews,
  kRedelivery,  // nothing changed
};

enum class ChangeKind { kAdded, kUpdated, kDeleted };

/// One object changed. An object that was deleted and made again under its name is two changes.
template <typename T>
struct Change {
  ChangeKind kind = ChangeKind::kAdded;
  std::shared_ptr<const T> before;  // null for kAdded
  std::shared_ptr<const T> after;   // null for kDeleted
  Origin origin = Origin::kNews;
  Certainty certainty = Certainty::kSeen;

  /// The newest state that is known.
  [[nodiscard]] const T& object() const { return after ? *after : *before; }
};

template <typename T>
using Handler = std::function<void(const Change<T>&)>;
template <typename T>
using Predicate = std::function<bool(const Change<T>&)>;

template <typename T>
std::string_view NamespaceOf(const T& object) {
  if constexpr (std::same_as<T, kube::ObjectMeta>) {
    return object.key.namespace_name;
  } else if constexpr (requires { object.meta.key; }) {
    return object.meta.key.namespace_name;
  } else if constexpr (requires { object.metadata.key; }) {
    return object.metadata.key.namespace_name;
  } else {
    return object.namespace_name();
  }
}

template <typename T>
std::string_view NameOf(const T& object) {
  if constexpr (std::same_as<T, kube::ObjectMeta>) {
    return object.key.name;
  } else if constexpr (requires { object.meta.key; }) {
    return object.meta.key.name;
  } else if constexpr (requires { object.metadata.key; }) {
    return object.metadata.key.name;
  } else {
    return object.name();
  }
}

template <typename T>
kube::ObjectKey KeyOf(const T& object) {
  return {std::string(NamespaceOf(object)), std::string(NameOf(object))};
}

/// What was there at the start, and what did not change, waits behind news.
inline Priority PriorityOf(Origin origin) {
  return origin == Origin::kNews ? Priority::kNormal : Priority::kInitialList;
}

/// Adds the key of the object.
template <typename T>
Handler<T> EnqueueKey(WorkQueue& queue) {
  return [&queue](const Change<T>& change) {
    queue.Add(KeyOf(change.object()), PriorityOf(change.origin));
  };
}

/// Adds what `map` says for the state before and the state after: an object that moves from one
/// owner to another concerns both.
template <typename T>
Handler<T> EnqueueMapped(WorkQueue& queue,
                         std::function<std::vector<kube::ObjectKey>(const T&)> map) {
  return [&queue, map = std::move(map)](const Change<T>& change) {
    const Priority priority = PriorityOf(change.origin);
    for (const auto* state : {change.before.get(), change.after.get()}) {
      if (state == nullptr) continue;
      for (const kube::ObjectKey& key : map(*state)) queue.Add(key, priority);
    }
  };
}

/// Passes on the changes for which `predicate` holds.
template <typename T>
Handler<T> Filtered(Predicate<T> predicate, Handler<T> handler) {
  return [predicate = std::move(predicate), handler = std::move(handler)](const Change<T>& change) {
    if (predicate(change)) handler(change);
  };
}

}  // namespace tracekeeper::runtime
