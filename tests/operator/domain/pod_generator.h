#pragma once
// PodGenerator makes pods of every shape, the same ones for the same seed: absent, null, empty and
// full lists, every kind of container, variables of every form, unknown fields, unicode, `$(VAR)`,
// owners, annotations, resources, security contexts. What it makes is well-formed, not always sane.
//
// Threads:  one thread at a time.

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "src/codec/json_writer.h"

namespace tracekeeper::domain {

class PodGenerator {
 public:
  struct Options {
    /// Also shapes that the API server refuses (unknown members, doubled names, odd numbers).
    bool wild = true;
    /// Every container satisfies Pod Security "restricted".
    bool restricted = false;
  };

  PodGenerator(std::uint64_t seed, Options options) : random_(seed), options_(options) {}

  std::string Next();

 private:
  std::size_t Below(std::size_t n) { return random_() % n; }
  bool Chance(std::size_t percent) { return Below(100) < percent; }
  std::string Text();
  std::string LabelValue();

  void Metadata(codec::JsonWriter& json);
  void Labels(codec::JsonWriter& json);
  void Annotations(codec::JsonWriter& json);
  void Owner(codec::JsonWriter& json);
  void Spec(codec::JsonWriter& json);
  void Containers(codec::JsonWriter& json, std::string_view list, std::string_view prefix,
                  std::size_t count);
  void Container(codec::JsonWriter& json, std::string_view name, bool init);
  void Env(codec::JsonWriter& json);
  void Variable(codec::JsonWriter& json, std::string_view name);
  void EnvFrom(codec::JsonWriter& json);
  void Mounts(codec::JsonWriter& json);
  void Ports(codec::JsonWriter& json, std::size_t first);
  void Resources(codec::JsonWriter& json);
  void Security(codec::JsonWriter& json, bool of_pod);
  void Unknown(codec::JsonWriter& json);
  /// Absent, null or an empty `empty` instead of a value; false when the value should be written.
  bool Vacant(codec::JsonWriter& json, std::string_view key, std::string_view empty);

  std::mt19937_64 random_;
  Options options_;
  std::size_t serial_ = 0;
};

}  // namespace tracekeeper::domain
