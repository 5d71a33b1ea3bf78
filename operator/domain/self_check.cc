#include "operator/domain/self_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace tracekeeper::domain {
namespace {

using codec::JsonValue;

constexpr std::size_t kMostDigits = 9;

/// One walk through a patch, with the pod as it was and what the walk has made so far.
class Checker {
 public:
  Checker(const JsonValue& pod_json, const PodView& pod) : pod_json_(pod_json), pod_(pod) {}

  std::optional<std::string> Check(const JsonValue& patch) {
    if (!patch.is_array()) return "the patch is no list";
    for (const JsonValue operation : patch.Elements()) {
      const std::string_view path = operation["path"].StringOr("");
      const bool right = CheckOperation(operation["op"].StringOr(""), path, operation["value"]);
      if (!right) return fmt::format("{}: {}", path, problem_);
    }
    return std::nullopt;
  }

 private:
  bool Wrong(std::string_view problem) {
    problem_ = problem;
    return false;
  }

  bool CheckOperation(std::string_view op, std::string_view path, const JsonValue& value) {
    if (!value) return Wrong("no value");
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos || slash == 0) return Wrong("not inside the pod");
    const std::string_view parent = path.substr(0, slash);
    const std::string_view last = path.substr(slash + 1);
    if (op == "replace") return CheckReplace(parent, last, value);
    if (op != "add") return Wrong("not an addition");
    return CheckTarget(path, parent, last) && CheckContent(path, parent, value);
  }

  bool CheckReplace(std::string_view parent, std::string_view last, const JsonValue& value) {
    const JsonValue variable = Parent(parent);
    if (last != "value" || parent.find("/env/") == std::string_view::npos) {
      return Wrong("only a variable's value may be replaced");
    }
    const auto before = variable["value"].String();
    if (!before || !value.StringOr("").starts_with(*before)) {
      return Wrong("the user's value is not at its beginning");
    }
    return true;
  }

  /// The place where something is added exists, and nothing of the user's is hidden.
  bool CheckTarget(std::string_view path, std::string_view parent, std::string_view last) {
    if (std::ranges::count(made_, parent) > 0) return true;
    const JsonValue holder = Parent(parent);
    if (holder.is_array()) {
      if (last == "-") return true;
      std::size_t position = 0;
      const bool number = last.size() <= kMostDigits && !last.empty() &&
                          std::from_chars(last.data(), last.data() + last.size(), position).ptr ==
                              last.data() + last.size();
      if (!number || position > holder.size() + operations_in_lists_) return Wrong("no such place");
      ++operations_in_lists_;
      return true;
    }
    if (!holder.is_object()) return Wrong("what it is added to is not there");
    // An annotation's key is written with "~1" for "/": only our own are, and they may be renewed.
    if (parent == "/metadata/annotations") return true;
    const JsonValue existing = holder[last];
    if (!IsVacant(existing) && !existing.StringOr("-").empty()) return Wrong("something is there");
    made_.push_back(path);
    return true;
  }

  bool CheckContent(std::string_view path, std::string_view parent, const JsonValue& value) {
    constexpr std::string_view kContainers = "/spec/containers";
    constexpr std::string_view kInitContainers = "/spec/initContainers";
    constexpr std::string_view kVolumes = "/spec/volumes";
    if (path == kContainers || path == kInitContainers) {
      return !AnyElement(value, [&](const JsonValue& c) { return !CheckContainer(c); });
    }
    if (parent == kContainers || parent == kInitContainers) return CheckContainer(value);
    if (path == kVolumes) {
      return !AnyElement(value, [&](const JsonValue& v) { return !CheckVolume(v); });
    }
    return parent != kVolumes || CheckVolume(value);
  }

  bool CheckContainer(const JsonValue& container) {
    const std::string_view name = container["name"].StringOr("");
    const auto same = [&](const ContainerView& c) { return c.name == name; };
    if (name.empty() || std::ranges::any_of(pod_.containers, same) ||
        std::ranges::count(containers_, name) > 0) {
      return Wrong("its name is taken");
    }
    containers_.push_back(name);
    const JsonValue context = container["securityContext"];
    const JsonValue drop = context["capabilities"]["drop"];
    const bool drops_all =
        AnyElement(drop, [](const JsonValue& c) { return c.StringOr("") == "ALL"; });
    const bool restricted = !context["allowPrivilegeEscalation"].BoolOr(true) && drops_all &&
                            context["runAsNonRoot"].BoolOr(false) &&
                            context["runAsUser"].IntegerOr(0) > 0 &&
                            context["seccompProfile"]["type"].StringOr("") == "RuntimeDefault";
    return restricted || Wrong("Pod Security restricted would refuse it");
  }

  bool CheckVolume(const JsonValue& volume) {
    const std::string_view name = volume["name"].StringOr("");
    const auto same = [&](const JsonValue& v) { return v["name"].StringOr("") == name; };
    if (name.empty() || AnyElement(pod_.volumes, same) || std::ranges::count(volumes_, name) > 0) {
      return Wrong("its name is taken");
    }
    volumes_.push_back(name);
    return true;
  }

  /// The pod's value at `path`. The last answer is kept: operations come in runs of one parent.
  JsonValue Parent(std::string_view path) {
    if (path == parent_path_) return parent_;
    parent_path_ = path;
    parent_ = pod_json_;
    operations_in_lists_ = 0;
    std::string_view rest = path;
    while (!rest.empty() && parent_) {
      rest.remove_prefix(1);
      const std::size_t slash = rest.find('/');
      const std::string_view token = rest.substr(0, slash);
      rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
      parent_ = Member(parent_, token);
    }
    return parent_;
  }

  static JsonValue Member(const JsonValue& holder, std::string_view token) {
    if (!holder.is_array()) return holder[token];
    std::size_t position = 0;
    std::from_chars(token.data(), token.data() + token.size(), position);
    for (const JsonValue element : holder.Elements()) {
      if (position-- == 0) return element;
    }
    return {};
  }

  const JsonValue& pod_json_;
  const PodView& pod_;
  std::string_view problem_;
  std::string_view parent_path_ = "\n";
  JsonValue parent_;
  std::size_t operations_in_lists_ = 0;
  std::vector<std::string_view> made_;
  std::vector<std::string_view> containers_;
  std::vector<std::string_view> volumes_;
};

}  // namespace

std::optional<std::string> CheckPatch(const JsonValue& pod_json, const PodView& pod,
                                      std::string_view patch, codec::JsonParser& parser) {
  const auto parsed = parser.Parse(patch);
  if (!parsed) return parsed.error().message;
  return Checker(pod_json, pod).Check(*parsed);
}

}  // namespace tracekeeper::domain
