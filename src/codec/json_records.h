#pragma once
// The records of a large JSON text, found without parsing it: documents that stand one behind the
// other or one a line, elements of an array, the value of a member. Each is then small enough for
// JsonParser, and its place in the text is known.
//
// Only strings and brackets are looked at: a record that is found may still be no valid JSON, which
// JsonParser then says.
//
// Threads:  pure. Views are into the text.
// Failure:  kDecode with the offset for a text that ends inside a value, or has no value where one
//           must stand.

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "src/base/result.h"

namespace tracekeeper::codec {

using OnJsonRecord = std::function<Status(std::size_t offset, std::string_view record)>;

/// Documents one behind the other, with blanks or line ends between them. An error of `on_record`
/// ends it.
Status ForEachJsonDocument(std::string_view text, const OnJsonRecord& on_record);

/// Elements of the array that is `array`, from its [ on. Offsets are into `array`.
Status ForEachJsonElement(std::string_view array, const OnJsonRecord& on_record);

/// The value of the first member `key` of the object that is `object`; nothing when it has none.
Result<std::optional<std::string_view>> FindJsonMember(std::string_view object,
                                                       std::string_view key);

}  // namespace tracekeeper::codec
