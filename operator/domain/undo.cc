#include "operator/domain/undo.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "operator/domain/injection_record.h"
#include "operator/domain/names.h"
#include "operator/domain/pod_view.h"
#include "src/codec/json_writer.h"

namespace tracekeeper::domain {
namespace {

using codec::JsonValue;
using codec::JsonWriter;

bool Lists(const JsonValue& names, std::string_view name) {
  return AnyElement(names, [&](const JsonValue& n) { return n.StringOr("") == name; });
}

/// Writes a pod once more, without what a record lists.
class Undoer {
 public:
  explicit Undoer(const JsonValue& record) : record_(record) {}

  std::string Write(const JsonValue& pod) {
    json_.BeginObject();
    for (const auto& [key, value] : pod.Members()) {
      json_.Key(key);
      if (key == "metadata") {
        WriteMetadata(value);
      } else if (key == "spec") {
        WriteSpec(value);
      } else {
        json_.Raw(value.ToJson());
      }
    }
    json_.EndObject();
    return json_.Take();
  }

 private:
  /// Writes `key` with its items, or with what was there before when none of them is left.
  void WriteCollection(std::string_view key, const std::string& text, bool is_empty,
                       const JsonValue& was, std::string_view path) {
    const std::string_view origin = is_empty ? was[path].StringOr("") : "";
    if (origin == Origin::kAbsent) return;
    json_.Key(key).Raw(origin == Origin::kNull ? "null" : text);
  }

  void WriteMetadata(const JsonValue& metadata) {
    json_.BeginObject();
    for (const auto& [key, value] : metadata.Members()) {
      if (key != "annotations" || !value.is_object()) {
        json_.Key(key).Raw(value.ToJson());
        continue;
      }
      JsonWriter annotations;
      annotations.BeginObject();
      for (const auto& [name, text] : value.Members()) {
        const bool ours = name == kPolicyAnnotation || name == kGenerationAnnotation ||
                          name == kDigestAnnotation || name == kInjectionAnnotation;
        if (!ours) annotations.Key(name).Raw(text.ToJson());
      }
      annotations.EndObject();
      const std::string text = annotations.Take();
      WriteCollection(key, text, text == "{}", record_["was"], "metadata.annotations");
    }
    json_.EndObject();
  }

  void WriteSpec(const JsonValue& spec) {
    json_.BeginObject();
    for (const auto& [key, value] : spec.Members()) {
      const bool is_containers = key == "containers" || key == "initContainers";
      if (value.is_array() && is_containers) {
        const std::string text = Containers(value, record_[key]);
        WriteCollection(key, text, text == "[]", record_["was"], "spec.initContainers");
      } else if (value.is_array() && key == "volumes") {
        const std::string text = Without(value, "name", record_["volumes"]);
        WriteCollection(key, text, text == "[]", record_["was"], "spec.volumes");
      } else {
        json_.Key(key).Raw(value.ToJson());
      }
    }
    json_.EndObject();
  }

  /// `list` without the items whose `key` is one of `names`.
  static std::string Without(const JsonValue& list, std::string_view key, const JsonValue& names) {
    JsonWriter json;
    json.BeginArray();
    for (const JsonValue item : list.Elements()) {
      if (!Lists(names, item[key].StringOr(""))) json.Raw(item.ToJson());
    }
    json.EndArray();
    return json.Take();
  }

  std::string Containers(const JsonValue& list, const JsonValue& ours) {
    JsonWriter outer;
    std::swap(outer, json_);
    json_.BeginArray();
    for (const JsonValue container : list.Elements()) {
      const std::string_view name = container["name"].StringOr("");
      if (Lists(ours, name)) continue;
      const JsonValue part = record_["in"][name];
      if (part) {
        WriteContainer(container, part);
      } else {
        json_.Raw(container.ToJson());
      }
    }
    json_.EndArray();
    std::swap(outer, json_);
    return outer.Take();
  }

  void WriteContainer(const JsonValue& container, const JsonValue& part) {
    json_.BeginObject();
    for (const auto& [key, value] : container.Members()) {
      if (key == "env" && value.is_array()) {
        const std::string text = Environment(value, part);
        WriteCollection(key, text, text == "[]", part["was"], key);
      } else if (key == "volumeMounts" && value.is_array()) {
        const std::string text = Without(value, "mountPath", part["mounts"]);
        WriteCollection(key, text, text == "[]", part["was"], key);
      } else if (key == "securityContext") {
        WriteFields(key, value, part["was"], "securityContext");
      } else {
        json_.Key(key).Raw(value.ToJson());
      }
    }
    json_.EndObject();
  }

  static std::size_t LastIndexOf(const JsonValue& env, std::string_view name) {
    std::size_t last = 0;
    std::size_t index = 0;
    for (const JsonValue entry : env.Elements()) {
      if (entry["name"].StringOr("") == name) last = index;
      ++index;
    }
    return last;
  }

  static std::string Environment(const JsonValue& env, const JsonValue& part) {
    JsonWriter json;
    json.BeginArray();
    std::size_t index = 0;
    for (const JsonValue entry : env.Elements()) {
      const std::string_view name = entry["name"].StringOr("");
      const std::size_t place = index++;
      if (Lists(part["env"], name)) continue;
      const auto original = part["grew"][name].Integer();
      // Of two entries with one name the last counts, so the last is the one that grew.
      if (original && place == LastIndexOf(env, name)) {
        WriteShrunk(json, entry, *original);
      } else {
        json.Raw(entry.ToJson());
      }
    }
    json.EndArray();
    return json.Take();
  }

  /// A variable with the first `size` bytes of its value; without value where it had none.
  static void WriteShrunk(JsonWriter& json, const JsonValue& entry, std::int64_t size) {
    json.BeginObject();
    for (const auto& [key, value] : entry.Members()) {
      const auto text = value.String();
      if (key != "value" || !text) {
        json.Key(key).Raw(value.ToJson());
      } else if (size >= 0) {
        json.Member(key, text->substr(0, static_cast<std::size_t>(size)));
      }
    }
    json.EndObject();
  }

  /// An object whose fields, down to any depth, may be ours by `was`.
  void WriteFields(std::string_view key, const JsonValue& value, const JsonValue& was,
                   const std::string& path) {
    const std::string_view origin = was[path].StringOr("");
    if (origin == Origin::kAbsent) return;
    json_.Key(key);
    if (!origin.empty()) {
      json_.Raw(origin);  // "null" and "[]" are JSON as they stand
      return;
    }
    if (!value.is_object() || !was) {
      json_.Raw(value.ToJson());
      return;
    }
    json_.BeginObject();
    for (const auto& [name, member] : value.Members()) {
      WriteFields(name, member, was, path + "." + std::string(name));
    }
    json_.EndObject();
  }

  const JsonValue& record_;
  JsonWriter json_;
};

}  // namespace

Result<std::string> Undo(const JsonValue& pod) {
  const auto text = pod["metadata"]["annotations"][kInjectionAnnotation].String();
  if (!text) {
    return Fail(ErrorKind::kNotFound, "the pod has no annotation {}: it was not injected",
                kInjectionAnnotation);
  }
  codec::JsonParser parser;
  const auto record = parser.Parse(*text);
  if (!record) {
    return Fail(ErrorKind::kDecode, "annotation {}: {}", kInjectionAnnotation,
                record.error().message);
  }
  return Undoer(*record).Write(pod);
}

}  // namespace tracekeeper::domain
