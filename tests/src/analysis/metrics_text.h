#pragma once
// Reads what a scraper reads: samples by name and labels, and the identity that must hold among
// them.
//
// Threads:  pure functions.

#include <map>
#include <string>
#include <string_view>

namespace tracekeeper::analysis {

struct Samples {
  /// By `name{labels}` as written.
  std::map<std::string, double> values;
  /// `{trace_id="…",…} 1 …` of those that have one.
  std::map<std::string, std::string> exemplars;

  /// Of all whose key begins with `name{` and holds every part; 0 for none.
  [[nodiscard]] double Sum(std::string_view name, std::initializer_list<std::string> parts) const;
};

/// Fails the test where a line is no sample, or a sample stands twice.
Samples ReadSamples(std::string_view text);

/// Empty where, of each policy and family, what is good, bad, excluded and unknown adds up to what
/// was seen, and all breaks to what is bad.
std::string WhatDoesNotAddUp(const Samples& samples);

}  // namespace tracekeeper::analysis
