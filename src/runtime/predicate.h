#pragma once
// Predicates say which changes a controller wants to hear of. Each lets adds, deletes and
// redeliveries pass; they decide about updates.
//
//   Filtered<Policy>(AnyOf<Policy>({GenerationChanged<Policy>(), AnnotationsChanged<Policy>()}),
//   ...)
//
// GenerationChanged alone misses edits of labels, annotations and finalizers; the deletion of an
// object with finalizers does raise its generation.

#include <vector>

#include "src/kube/meta.h"
#include "src/runtime/change.h"

namespace tracekeeper::runtime {

template <typename T>
const kube::ObjectMeta& MetaOf(const T& object) {
  if constexpr (std::same_as<T, kube::ObjectMeta>) {
    return object;  // NOLINT(bugprone-return-const-ref-from-parameter): a part, as below
  } else if constexpr (requires { object.meta.key; }) {
    return object.meta;
  } else {
    return object.metadata;
  }
}

namespace predicate_internal {
template <typename T, typename Property>
Predicate<T> Changed(Property property) {
  return [property](const Change<T>& change) {
    if (change.kind != ChangeKind::kUpdated || change.origin == Origin::kRedelivery) return true;
    return property(*change.before) != property(*change.after);
  };
}
}  // namespace predicate_internal

template <typename T>
Predicate<T> GenerationChanged() {
  return predicate_internal::Changed<T>([](const T& object) { return MetaOf(object).generation; });
}

template <typename T>
Predicate<T> LabelsChanged() {
  return predicate_internal::Changed<T>(
      [](const T& object) -> const kube::StringMap& { return MetaOf(object).labels; });
}

template <typename T>
Predicate<T> AnnotationsChanged() {
  return predicate_internal::Changed<T>(
      [](const T& object) -> const kube::StringMap& { return MetaOf(object).annotations; });
}

template <typename T>
Predicate<T> FinalizersChanged() {
  return predicate_internal::Changed<T>([](const T& object) { return MetaOf(object).finalizers; });
}

template <typename T>
Predicate<T> AnyOf(std::vector<Predicate<T>> predicates) {
  return [predicates = std::move(predicates)](const Change<T>& change) {
    for (const auto& predicate : predicates) {
      if (predicate(change)) return true;
    }
    return false;
  };
}

template <typename T>
Predicate<T> AllOf(std::vector<Predicate<T>> predicates) {
  return [predicates = std::move(predicates)](const Change<T>& change) {
    for (const auto& predicate : predicates) {
      if (!predicate(change)) return false;
    }
    return true;
  };
}

template <typename T>
Predicate<T> Not(Predicate<T> predicate) {
  return [predicate = std::move(predicate)](const Change<T>& change) { return !predicate(change); };
}

}  // namespace tracekeeper::runtime
