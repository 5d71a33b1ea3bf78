#include "analyzer/cluster_trouble.h"

#include <fmt/format.h>

#include <utility>

namespace tracekeeper::analyzer {
namespace {

struct Sentences {
  std::string_view name;
  std::string_view right;
  std::string_view without;  // what it does until it has read any
};

Sentences OfResource(ClusterResource resource) {
  if (resource == ClusterResource::kPolicies) {
    return {.name = "TracingPolicies",
            .right = "tracingpolicies of tracekeeper.dev",
            .without = "judges without policies until then"};
  }
  return {
      .name = "pods",
      .right = "pods",
      .without = "until then, spans that name no policy are judged by the rules of all together"};
}

}  // namespace

std::string SentenceOf(ClusterResource resource, ErrorKind kind, HeldBefore held) {
  const Sentences of = OfResource(resource);
  const std::string consequence = held == HeldBefore::kNothing
                                      ? std::string(of.without)
                                      : fmt::format("goes on with the {} that it has", of.name);
  if (kind == ErrorKind::kForbidden) {
    return fmt::format("Was not allowed to read {}: grant list and watch on {}; {}", of.name,
                       of.right, consequence);
  }
  if (kind == ErrorKind::kNotFound && resource == ClusterResource::kPolicies) {
    return fmt::format(
        "Found no TracingPolicies in this cluster: install the chart tracekeeper-crds; {}",
        consequence);
  }
  return fmt::format("Could not read {} from the API server, tries again; {}", of.name,
                     consequence);
}

void ClusterTrouble::Tell(const Error& error, HeldBefore held) {
  std::string sentence = SentenceOf(resource_, error.kind, held);
  const MonotonicTime now = clock_.Monotonic();
  if (sentence == last_ && said_ && now - *said_ < kAgain) {
    log_.Debug(sentence, {{"error", error}});
    return;
  }
  last_ = std::move(sentence);
  said_ = now;
  // What a person must mend is an error; an API server that is away comes back by itself.
  const bool is_for_a_person = error.kind == ErrorKind::kForbidden ||
                               error.kind == ErrorKind::kUnauthorized ||
                               error.kind == ErrorKind::kNotFound;
  if (is_for_a_person) {
    log_.Error(last_, {{"error", error}});
  } else {
    log_.Warn(last_, {{"error", error}});
  }
}

}  // namespace tracekeeper::analyzer
