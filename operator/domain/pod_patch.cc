#include "operator/domain/pod_patch.h"

#include <fmt/format.h>

#include <utility>

#include "operator/domain/pod_view.h"

namespace tracekeeper::domain {
namespace {

constexpr std::size_t kUsualPatch = 8192;

std::string ArrayOf(std::span<const std::string> items) {
  std::string array = "[";
  for (const std::string& item : items) {
    if (array.size() > 1) array.push_back(',');
    array.append(item);
  }
  array.push_back(']');
  return array;
}

}  // namespace

// Paths are made of indices and names of ours, so they need no escape in JSON.
void PodPatch::Operation(std::string_view op, std::string_view path, std::string_view json) {
  if (text_.empty()) text_.reserve(kUsualPatch);
  text_.append(text_.empty() ? "[" : ",");
  text_.append(R"({"op":")").append(op).append(R"(","path":")").append(path);
  text_.append(R"(","value":)").append(json).append("}");
}

void PodPatch::Add(std::string_view path, std::string_view json) { Operation("add", path, json); }

void PodPatch::Replace(std::string_view path, std::string_view json) {
  Operation("replace", path, json);
}

void PodPatch::AddToList(std::string_view path, const codec::JsonValue& existing,
                         std::span<const std::string> items, Position position) {
  if (items.empty()) return;
  if (IsVacant(existing)) {
    Add(path, ArrayOf(items));
    return;
  }
  std::string member(path);
  member.push_back('/');
  const std::size_t length = member.size();
  for (std::size_t i = 0; i < items.size(); ++i) {
    member.resize(length);
    member.append(position == Position::kBack ? "-" : std::to_string(i));
    Add(member, items[i]);
  }
}

std::string PodPatch::Take() {
  if (!text_.empty()) text_.push_back(']');
  return std::move(text_);
}

std::string ContainerPath(bool init, std::size_t index, std::string_view member) {
  return fmt::format("/spec/{}/{}/{}", init ? "initContainers" : "containers", index, member);
}

}  // namespace tracekeeper::domain
