#pragma once
// The table of exchanges between our client and an API server. It runs against the fake server
// (unit) and against a real one (integration): what the fake does for other tests is thereby what a
// real server does.
//
// A body or option may hold ${rv} and ${uid} (of the newest answer of this exchange that had them),
// and ${rv1} (of its first answer). Objects live in a namespace of their own per exchange.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/kube/client.h"

namespace tracekeeper::kube {

enum class Act {
  kGet,
  kCreate,
  kApply,
  kPatchJson,
  kPatchMerge,
  kDelete,
  kList,
  kWatch,
  kCompact,  // the server forgets its history
};

struct Step {
  Act act = Act::kGet;
  std::string_view name;  // of the object
  std::string_view body = "";
  /// The options that this step needs; the others keep their defaults.
  std::string_view manager = "tester";
  std::string_view subresource = "";
  Force force = Force::kNo;
  DryRun dry_run = DryRun::kNo;
  std::string_view uid = "";               // delete
  std::string_view resource_version = "";  // delete, list, watch
  std::string_view labels = "";            // list, watch
  std::string_view fields = "";            // list, watch
  Projection projection = Projection::kWholeObject;
  int page_size = 500;
  bool send_initial_events = false;
  bool compact_after_first = false;  // list: history is lost while the first page arrives

  /// "ok", or the kind of the error: "conflict".
  std::string_view want = "ok";
  /// Members of the answer: {"data.k", "v"}. An empty value: not there.
  std::vector<std::pair<std::string_view, std::string_view>> holds = {};
  /// What a list or watch brought: "a b c", "ADDED a, DELETED a".
  std::string_view brings = "";
  /// List: pages that were read. 0: not looked at.
  std::size_t pages = 0;
  /// The write changed nothing, so the version stayed.
  bool keeps_version = false;
};

struct Exchange {
  std::string_view name;
  Resource resource = kConfigMaps;
  std::vector<Step> steps;
};

const std::vector<Exchange>& Exchanges();

/// Runs one exchange in `namespace_name`, which exists, and checks each step as a gtest does.
void RunExchange(const Exchange& exchange, Client& client, std::string_view namespace_name,
                 const std::function<void()>& compact);

}  // namespace tracekeeper::kube
