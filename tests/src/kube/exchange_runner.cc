#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

#include "tests/src/kube/exchange_table.h"

namespace tracekeeper::kube {
namespace {

std::string ReplaceAll(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// The value at "status.conditions.0.type" as text; empty when it is not there.
std::string TextAt(codec::JsonValue value, std::string_view path) {
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const std::string_view step = path.substr(0, dot);
    path.remove_prefix(std::min(dot + 1, path.size()));
    if (!value.is_array()) {
      value = value[step];
      continue;
    }
    std::size_t index = 0;
    std::from_chars(step.data(), step.data() + step.size(), index);
    codec::JsonValue found;
    for (const codec::JsonValue element : value.Elements()) {
      if (index-- == 0) found = element;
    }
    value = found;
  }
  if (!value) return "";
  const auto text = value.String();
  return text ? std::string(*text) : value.ToJson();
}

/// Names in the order they came, with what interrupted them.
class NameSink final : public ListSink {
 public:
  explicit NameSink(std::function<void()> after_first) : after_first_(std::move(after_first)) {}

  void OnRestart() override { Add("(restart)"); }
  Status OnObject(codec::JsonValue object) override {
    Add(object["metadata"]["name"].StringOr("?"));
    has_body_ = has_body_ || object["data"] || object["spec"];
    if (after_first_) std::exchange(after_first_, nullptr)();
    return {};
  }
  void OnBrokenObject(const Error& error) override { Add(error.message); }

  [[nodiscard]] const std::string& names() const { return names_; }
  [[nodiscard]] bool has_body() const { return has_body_; }

 private:
  void Add(std::string_view name) {
    // The cluster puts this one into every namespace.
    if (name == "kube-root-ca.crt") return;
    if (!names_.empty()) names_ += ' ';
    names_ += name;
  }
  std::function<void()> after_first_;
  std::string names_;
  bool has_body_ = false;
};

/// Takes as many events as are expected, then leaves.
class EventSink final : public WatchSink {
 public:
  explicit EventSink(std::string_view wanted) : wanted_(wanted) {}

  Status OnEvent(const WatchEvent& event) override {
    std::string name(event.object["metadata"]["name"].StringOr("?"));
    if (name == "kube-root-ca.crt") return {};
    if (event.type == WatchEventType::kBookmark) {
      if (!event.initial_events_end) return {};
      name = "end";
    }
    if (event.error) name = event.error->message;
    if (event.object["metadata"]["managedFields"]) name += " with managedFields";
    if (!events_.empty()) events_ += ", ";
    events_ += fmt::format("{} {}", NameOf(event.type), name);
    if (events_.size() >= wanted_.size()) return Fail(ErrorKind::kCancelled, "seen enough");
    return {};
  }
  [[nodiscard]] const std::string& events() const { return events_; }

 private:
  std::string_view wanted_;
  std::string events_;
};

class Runner {
 public:
  Runner(const Exchange& exchange, Client& client, std::string_view space,
         const std::function<void()>& compact)
      : exchange_(exchange), client_(client), space_(space), compact_(compact) {}

  void Run(const Step& step) {
    if (step.act == Act::kCompact) return compact_();
    if (step.act == Act::kList) return List(step);
    if (step.act == Act::kWatch) return Watch(step);
    if (step.act == Act::kDelete) {
      return Expect(step, client_.Delete(exchange_.resource, KeyOf(step),
                                         {.uid = Filled(step.uid),
                                          .resource_version = Filled(step.resource_version),
                                          .dry_run = step.dry_run},
                                         {}));
    }
    const Result<Document> answer = Call(step);
    Expect(step, answer ? Status{} : Status(Fail(answer.error())));
    if (!answer) return;
    for (const auto& [path, value] : step.holds) {
      // A member's own name may hold a dot; none of the table's does before its last step.
      EXPECT_EQ(TextAt(answer->root(), path), value) << path;
    }
    const std::string version = TextAt(answer->root(), "metadata.resourceVersion");
    if (step.keeps_version) {
      EXPECT_EQ(version, version_);
    }
    if (step.dry_run == DryRun::kYes) return;
    version_ = version;
    if (first_version_.empty()) first_version_ = version;
    uid_ = TextAt(answer->root(), "metadata.uid");
  }

 private:
  Result<Document> Call(const Step& step) {
    const ObjectKey key = KeyOf(step);
    const std::string body = Filled(step.body);
    const WriteOptions write{.field_manager = std::string(step.manager),
                             .subresource = std::string(step.subresource),
                             .dry_run = step.dry_run};
    switch (step.act) {
      case Act::kCreate:
        return client_.Create(exchange_.resource, space_, body, write, {});
      case Act::kPatchJson:
        return client_.PatchJson(exchange_.resource, key, body, write, {});
      case Act::kPatchMerge:
        return client_.PatchMerge(exchange_.resource, key, body, write, {});
      case Act::kApply:
        return client_.Apply(exchange_.resource, key, body,
                             {.field_manager = write.field_manager,
                              .subresource = write.subresource,
                              .force = step.force,
                              .dry_run = step.dry_run},
                             {});
      default:
        return client_.Get(exchange_.resource, key, {});
    }
  }

  void List(const Step& step) {
    NameSink sink(step.compact_after_first ? compact_ : nullptr);
    const auto outcome =
        client_.List(exchange_.resource,
                     {.selection = SelectionOf(step),
                      .resource_version = Filled(step.resource_version),
                      .match = step.resource_version.empty() ? VersionMatch::kUnset
                                                             : VersionMatch::kNotOlderThan,
                      .page_size = step.page_size},
                     sink, {});
    Expect(step, outcome ? Status{} : Status(Fail(outcome.error())));
    if (!outcome) return;
    EXPECT_EQ(sink.names(), step.brings);
    EXPECT_FALSE(outcome->resource_version.empty());
    if (step.pages != 0) {
      EXPECT_EQ(outcome->pages, step.pages);
    }
    if (step.projection == Projection::kMetadataOnly) {
      EXPECT_FALSE(sink.has_body());
    }
  }

  void Watch(const Step& step) {
    EventSink sink(step.brings);
    const Status watched = client_.Watch(exchange_.resource,
                                         {.selection = SelectionOf(step),
                                          .resource_version = Filled(step.resource_version),
                                          .timeout = std::chrono::seconds(5),
                                          .send_initial_events = step.send_initial_events},
                                         sink, {});
    EXPECT_EQ(sink.events(), step.brings);
    const bool has_left = !watched && watched.error().kind == ErrorKind::kCancelled;
    Expect(step, has_left ? Status{} : watched);
  }

  static void Expect(const Step& step, const Status& outcome) {
    const std::string got = outcome ? "ok" : std::string(NameOf(outcome.error().kind));
    EXPECT_EQ(got, step.want) << (outcome ? "" : outcome.error().message);
  }

  [[nodiscard]] ObjectKey KeyOf(const Step& step) const { return {space_, std::string(step.name)}; }
  [[nodiscard]] Selection SelectionOf(const Step& step) const {
    return {.namespace_name = space_,
            .label_selector = std::string(step.labels),
            .field_selector = std::string(step.fields),
            .projection = step.projection};
  }
  [[nodiscard]] std::string Filled(std::string_view text) const {
    std::string filled = ReplaceAll(std::string(text), "${rv1}", first_version_);
    filled = ReplaceAll(std::move(filled), "${rv}", version_);
    return ReplaceAll(std::move(filled), "${uid}", uid_);
  }

  const Exchange& exchange_;
  Client& client_;
  const std::string space_;
  const std::function<void()>& compact_;
  std::string version_;
  std::string first_version_;
  std::string uid_;
};

}  // namespace

void RunExchange(const Exchange& exchange, Client& client, std::string_view namespace_name,
                 const std::function<void()>& compact) {
  Runner runner(exchange, client, namespace_name, compact);
  for (std::size_t i = 0; i < exchange.steps.size(); ++i) {
    SCOPED_TRACE(fmt::format("{}, step {}", exchange.name, i + 1));
    runner.Run(exchange.steps[i]);
  }
}

}  // namespace tracekeeper::kube
