#include "src/crypto/secret_process.h"

#include <malloc.h>
#include <openssl/crypto.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "src/crypto/core_dumps.h"

namespace {

void WipeAndFree(void* memory) noexcept {
  if (memory == nullptr) return;
  // malloc_usable_size: a library may have written into all that it got.
  OPENSSL_cleanse(memory, ::malloc_usable_size(memory));
  std::free(memory);
}

void* Allocate(std::size_t size) {
  for (;;) {
    if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void* AllocateAligned(std::size_t size, std::align_val_t alignment) {
  const auto boundary = static_cast<std::size_t>(alignment);
  const std::size_t rounded = (size + boundary - 1) / boundary * boundary;
  for (;;) {
    if (void* const memory = std::aligned_alloc(boundary, rounded == 0 ? boundary : rounded)) {
      return memory;
    }
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void* OpenSslAllocate(std::size_t size, const char* /*file*/, int /*line*/) {
  return std::malloc(size);
}

void OpenSslFree(void* memory, const char* /*file*/, int /*line*/) { WipeAndFree(memory); }

// Never in place: what realloc leaves behind could not be wiped.
void* OpenSslReallocate(void* memory, std::size_t size, const char* /*file*/, int /*line*/) {
  if (memory == nullptr) return std::malloc(size);
  void* const moved = std::malloc(size);
  if (moved == nullptr) return nullptr;
  const std::size_t before = ::malloc_usable_size(memory);
  std::memcpy(moved, memory, before < size ? before : size);
  WipeAndFree(memory);
  return moved;
}

}  // namespace

// All forms of new and delete that the compiler calls end in one of these.
void* operator new(std::size_t size) { return Allocate(size); }
void* operator new[](std::size_t size) { return Allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return AllocateAligned(size, alignment);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return AllocateAligned(size, alignment);
}
void operator delete(void* memory) noexcept { WipeAndFree(memory); }
void operator delete[](void* memory) noexcept { WipeAndFree(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { WipeAndFree(memory); }
void operator delete[](void* memory, std::size_t /*size*/) noexcept { WipeAndFree(memory); }
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept { WipeAndFree(memory); }
void operator delete[](void* memory, std::align_val_t /*alignment*/) noexcept {
  WipeAndFree(memory);
}
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  WipeAndFree(memory);
}
void operator delete[](void* memory, std::size_t /*size*/,
                       std::align_val_t /*alignment*/) noexcept {
  WipeAndFree(memory);
}

namespace tracekeeper::crypto {

Status BecomeSecretProcess() {
  if (CRYPTO_set_mem_functions(OpenSslAllocate, OpenSslReallocate, OpenSslFree) != 1) {
    return Fail(ErrorKind::kInternal, "OpenSSL was used before its memory could be wiped");
  }
  return ForbidCoreDumps();
}

}  // namespace tracekeeper::crypto
