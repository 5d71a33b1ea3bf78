#pragma once
// CustomResource is one kind of ours as the generators see it: its names, its columns and its
// schemas. kCustomResources() lists all; what is not there is not generated.
//
// Threads:  plain values.

#include <string>
#include <string_view>
#include <vector>

#include "src/codec/schema.h"

namespace tracekeeper::crdgen {

/// A column of `kubectl get`.
struct PrinterColumn {
  std::string_view name;
  std::string_view type;
  std::string_view json_path;
  std::string_view doc;
  int priority = 0;  // above 0: only with -o wide
};

struct CustomResource {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  std::string_view plural;
  std::string_view singular;
  std::vector<std::string_view> short_names;
  std::vector<std::string_view> categories;
  std::string_view doc;
  std::vector<PrinterColumn> columns;
  std::vector<std::string_view> selectable_fields;  // for kubectl get --field-selector
  std::string_view initial_status;                  // JSON; what a new object's status is
  std::vector<codec::Rule> rules;                   // on the whole object
  codec::Schema spec;
  codec::Schema status;

  /// "tracingpolicies.tracekeeper.dev"
  [[nodiscard]] std::string FullName() const;
};

std::vector<CustomResource> CustomResources();

}  // namespace tracekeeper::crdgen
