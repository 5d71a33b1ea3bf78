#include "src/runtime/health.h"

#include <algorithm>

namespace tracekeeper::runtime {
namespace {

struct Query {
  bool verbose = false;
  std::vector<std::string_view> excluded;
};

Query ParseQuery(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view part = text.substr(0, end);
    if (part == "verbose" || part.starts_with("verbose=")) query.verbose = true;
    constexpr std::string_view kExclude = "exclude=";
    if (part.starts_with(kExclude)) query.excluded.push_back(part.substr(kExclude.size()));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return query;
}

}  // namespace

HealthChecks::HealthChecks(std::string name) : name_(std::move(name)) {}

void HealthChecks::Add(std::string name, Check check) {
  const std::scoped_lock lock(mutex_);
  checks_.push_back({std::move(name), std::move(check)});
}

std::vector<HealthChecks::Named> HealthChecks::Snapshot() const {
  const std::scoped_lock lock(mutex_);
  return checks_;
}

HealthChecks::Answer HealthChecks::Serve(std::string_view target) const {
  const std::size_t question = target.find('?');
  std::string_view path = target.substr(0, question);
  const Query query =
      ParseQuery(question == std::string_view::npos ? "" : target.substr(question + 1));
  const std::string own_path = "/" + name_;
  if (!path.starts_with(own_path)) return {404, "not found\n"};
  path.remove_prefix(own_path.size());
  if (path == "/") path = {};
  if (!path.empty() && path.front() != '/') return {404, "not found\n"};

  std::vector<Named> checks = Snapshot();
  if (!path.empty()) {
    const std::string_view wanted = path.substr(1);
    std::erase_if(checks, [&](const Named& check) { return check.name != wanted; });
    if (checks.empty()) return {404, fmt::format("there is no check \"{}\"\n", wanted)};
  }
  return Judge(checks, query.verbose, query.excluded);
}

HealthChecks::Answer HealthChecks::Judge(const std::vector<Named>& checks, bool verbose,
                                         std::vector<std::string_view> excluded) const {
  std::string lines;
  bool failed = false;
  for (const Named& check : checks) {
    if (std::erase(excluded, check.name) > 0) {
      lines += fmt::format("[+]{} excluded: ok\n", check.name);
      continue;
    }
    const Status status = check.check();
    failed = failed || !status;
    lines += status ? fmt::format("[+]{} ok\n", check.name)
                    : fmt::format("[-]{} failed: {}\n", check.name, status.error().message);
  }
  for (const std::string_view unknown : excluded) {
    lines += fmt::format("warn: there is no check \"{}\" to exclude\n", unknown);
  }
  if (failed) return {500, fmt::format("{}{} check failed\n", lines, name_)};
  return {200, verbose ? fmt::format("{}{} check passed\n", lines, name_) : std::string("ok")};
}

Status HealthChecks::All() const {
  for (const Named& check : Snapshot()) {
    if (Status status = check.check(); !status) {
      return Fail(std::move(status).error().Within(check.name));
    }
  }
  return {};
}

}  // namespace tracekeeper::runtime
