#include "tests/src/analysis/metrics_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace tracekeeper::analysis {
namespace {

struct FamilyText {
  const char* family;
  const char* total;
  const char* breaks;
};
constexpr FamilyText kFamilies[] = {
    {"hop", "tracekeeper_hops_total", "tracekeeper_hop_breaks_total"},
    {"request", "tracekeeper_requests_total", "tracekeeper_request_breaks_total"},
    {"in_process", "tracekeeper_in_process_total", "tracekeeper_in_process_breaks_total"},
    {"log", "tracekeeper_logs_total", "tracekeeper_log_breaks_total"},
};

/// `name="value"` out of a key; the values of these tests hold no quotes.
std::string LabelOf(const std::string& key, const std::string& name) {
  const std::size_t at =
      key.find((key.find("{" + name + "=") != std::string::npos ? "{" : ",") + name + "=\"");
  const std::size_t first = at + name.size() + 3;
  return key.substr(first, key.find('"', first) - first);
}

}  // namespace

double Samples::Sum(std::string_view name, std::initializer_list<std::string> parts) const {
  double sum = 0;
  for (const auto& [key, value] : values) {
    const bool is_it =
        key.substr(0, key.find('{')) == name && std::ranges::all_of(parts, [&](const auto& part) {
          return key.find(part) != std::string::npos;
        });
    if (is_it) sum += value;
  }
  return sum;
}

Samples ReadSamples(std::string_view text) {
  Samples samples;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string line(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.starts_with("#")) continue;
    const std::size_t exemplar = line.find(" # ");
    const std::string sample = line.substr(0, exemplar);
    const std::size_t blank = sample.rfind(' ');
    EXPECT_NE(blank, std::string::npos) << line;
    if (blank == std::string::npos) continue;
    const std::string key = sample.substr(0, blank);
    const bool is_new = samples.values.emplace(key, std::stod(sample.substr(blank + 1))).second;
    EXPECT_TRUE(is_new) << "twice: " << key;
    if (exemplar != std::string::npos) samples.exemplars[key] = line.substr(exemplar + 3);
  }
  return samples;
}

std::string WhatDoesNotAddUp(const Samples& samples) {
  std::string text;
  std::set<std::pair<std::string, std::string>> policies;
  for (const auto& [key, value] : samples.values) {
    if (key.find("policy=\"") == std::string::npos) continue;
    policies.emplace(LabelOf(key, "policy"), LabelOf(key, "policy_namespace"));
  }
  for (const auto& [name, namespace_name] : policies) {
    const std::string policy = fmt::format("{{policy=\"{}\"", name);
    const std::string of_namespace = fmt::format("policy_namespace=\"{}\"", namespace_name);
    for (const FamilyText& family : kFamilies) {
      const double judged = samples.Sum(family.total, {policy, of_namespace});
      const double seen =
          samples.Sum("tracekeeper_units_seen_total",
                      {policy, of_namespace, fmt::format("family=\"{}\"", family.family)});
      const double bad = samples.Sum(family.total, {policy, of_namespace, "result=\"bad\""});
      const double breaks = samples.Sum(family.breaks, {policy, of_namespace});
      if (judged == seen && bad == breaks) continue;
      text += fmt::format("{} {}: {} judged, {} seen, {} bad, {} breaks\n", policy, family.family,
                          judged, seen, bad, breaks);
    }
  }
  return text;
}

}  // namespace tracekeeper::analysis
