// A template of a Secret, from a policy: whatever it says, it takes no more than it may, and no
// error shows a value.
//
// DEPENDS: tracekeeper::operator_domain

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "operator/domain/secret_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tracekeeper::domain;
  const auto parsed = SecretTemplate::Parse({reinterpret_cast<const char*>(data), size});
  if (!parsed) return 0;
  if (parsed->values().size() > kMostTemplateValues) std::abort();
  static const tracekeeper::crypto::SecretString value("CANARY\xff\"");
  const auto rendered = parsed->Render(
      [](SecretSlot slot, std::string_view) -> const tracekeeper::crypto::SecretString* {
        return slot == SecretSlot::kPrevious ? nullptr : &value;
      });
  if (rendered && rendered->size() > kMostRendered) std::abort();
  if (!rendered && rendered.error().message.find("CANARY\xff") != std::string::npos) std::abort();
  return 0;
}
