#include "src/kube/resource.h"

#include <fmt/core.h>

namespace tracekeeper::kube {
namespace {

/// Appends one segment of a path. Names are checked where users give them; what is odd all the same
/// stays within its segment.
void AppendSegment(std::string& path, std::string_view segment) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:@!$&'()*+,;=";
  path += '/';
  for (const char c : segment) {
    if (kPlain.find(c) != std::string_view::npos) {
      path += c;
    } else {
      path += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

}  // namespace

std::string Resource::ApiVersion() const {
  if (group.empty()) return std::string(version);
  return fmt::format("{}/{}", group, version);
}

std::string Resource::QualifiedName() const {
  if (group.empty()) return std::string(plural);
  return fmt::format("{}.{}", plural, group);
}

std::string Resource::CollectionPath(std::string_view namespace_name) const {
  std::string path =
      group.empty() ? fmt::format("/api/{}", version) : fmt::format("/apis/{}/{}", group, version);
  if (scope == Scope::kNamespaced && !namespace_name.empty()) {
    path += "/namespaces";
    AppendSegment(path, namespace_name);
  }
  path += '/';
  path += plural;
  return path;
}

std::string Resource::ObjectPath(const ObjectKey& key, std::string_view subresource) const {
  std::string path = CollectionPath(key.namespace_name);
  AppendSegment(path, key.name);
  if (!subresource.empty()) {
    path += '/';
    path += subresource;
  }
  return path;
}

}  // namespace tracekeeper::kube
