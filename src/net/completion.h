#pragma once
// Completion is what an asynchronous operation calls when it ends: a method of an owner that it
// keeps alive until then. It allocates nothing, unlike a std::function with a shared_ptr in it.
//
// Threads:  called once, on the strand of the ByteStream that the operation ran on.

#include <cstddef>
#include <memory>
#include <system_error>
#include <utility>

namespace tracekeeper::net {

class Completion {
 public:
  /// Calls `(owner.get()->*kMethod)(error, transferred_bytes)`.
  template <auto kMethod, typename Owner>
  static Completion To(std::shared_ptr<Owner> owner) {
    return {std::move(owner), [](void* object, std::error_code error, std::size_t size) {
              (static_cast<Owner*>(object)->*kMethod)(error, size);
            }};
  }

  /// The same for an owner that is known to outlive the operation.
  template <auto kMethod, typename Owner>
  static Completion ToBorrowed(Owner& owner) {
    return To<kMethod>(std::shared_ptr<Owner>(std::shared_ptr<void>(), &owner));
  }

  void operator()(std::error_code error, std::size_t size) const {
    function_(owner_.get(), error, size);
  }

 private:
  using Function = void (*)(void*, std::error_code, std::size_t);
  Completion(std::shared_ptr<void> owner, Function function)
      : owner_(std::move(owner)), function_(function) {}

  std::shared_ptr<void> owner_;
  Function function_;
};

}  // namespace tracekeeper::net
