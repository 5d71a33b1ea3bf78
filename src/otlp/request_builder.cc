#include "src/otlp/request_walk.h"

namespace tracekeeper::otlp {

void RequestBuilder::EnterResource(std::string_view body) {
  CloseResource();
  resource_body_ = body;
  has_resource_fields_ = false;
}

void RequestBuilder::EnterScope(std::string_view body) {
  CloseScope();
  scope_body_ = body;
  has_scope_fields_ = false;
}

void RequestBuilder::AddField(std::string_view field) {
  OpenLevels();
  writer_.Raw(field);
}

void RequestBuilder::AddItem(std::string_view body) {
  OpenLevels();
  writer_.Bytes(kItems, body);
}

std::size_t RequestBuilder::SizeWith(std::size_t field_size) const {
  constexpr std::size_t kLengths = 8;  // what ending two levels may add
  std::size_t size = request_.size() + field_size + kLengths;
  if (!resource_) size += resource_fields_.size();
  if (!scope_) size += scope_fields_.size();
  return size;
}

std::string RequestBuilder::Take() {
  CloseResource();
  std::string taken;
  taken.swap(request_);
  return taken;
}

void RequestBuilder::OpenLevels() {
  if (!resource_) {
    // A resource may stand behind its scopes on the wire, so its fields are gathered first.
    if (!has_resource_fields_) resource_fields_ = FieldsBut(kScopes, resource_body_);
    has_resource_fields_ = true;
    resource_ = writer_.Begin(kResourceItems);
    writer_.Raw(resource_fields_);
  }
  if (!scope_) {
    if (!has_scope_fields_) scope_fields_ = FieldsBut(kItems, scope_body_);
    has_scope_fields_ = true;
    scope_ = writer_.Begin(kScopes);
    writer_.Raw(scope_fields_);
  }
}

void RequestBuilder::CloseScope() {
  if (scope_) writer_.End(*scope_);
  scope_.reset();
}

void RequestBuilder::CloseResource() {
  CloseScope();
  if (resource_) writer_.End(*resource_);
  resource_.reset();
}

}  // namespace tracekeeper::otlp
