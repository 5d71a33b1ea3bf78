#pragma once
// ListDecoder turns the bytes of one page of a list into objects as they arrive, and reads what the
// page says of itself. Sans-IO, as WatchDecoder.
//
// Threads:  one thread at a time.
// Failure:  one broken object is told to the sink and the page goes on; a page that is no list
//           (a Table, a page of HTML, one cut short) is kDecode.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/codec/json_value.h"

namespace tracekeeper::kube {

class ListSink;

struct ListPage {
  std::string resource_version;
  std::string continue_token;  // empty: the last page
  std::size_t objects = 0;
};

class ListDecoder {
 public:
  ListDecoder(std::string what, ListSink& sink, std::size_t max_object_bytes);
  ~ListDecoder();

  Status Feed(std::string_view bytes);
  /// The body ended: what the page said of itself.
  Result<ListPage> Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tracekeeper::kube
