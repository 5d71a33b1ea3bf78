// The journal of a rotation as it lies in a Secret: what is read is written and read again as the
// same, and is never larger than may be read.
//
// DEPENDS: tracekeeper::operator_domain

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "operator/domain/rotation_journal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tracekeeper::domain::RotationJournal;
  const auto journal = RotationJournal::FromJson({reinterpret_cast<const char*>(data), size});
  if (!journal) return 0;
  const std::string written = journal->ToJson();
  const auto again = RotationJournal::FromJson(written);
  if (!again || *again != *journal || written.size() > RotationJournal::kMostBytes) std::abort();
  return 0;
}
