# Flags of every target of ours, and of no third-party header (those come as SYSTEM includes).
add_library(tracekeeper_warnings INTERFACE)
target_compile_options(tracekeeper_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wnull-dereference -Wimplicit-fallthrough -Wextra-semi
  # False alarms of g++ 12 inside its own headers at -O1 and -O2: std::string (GCC bug 105651),
  # optional.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan -Wno-maybe-uninitialized -Wno-null-dereference -Wno-restrict
    -Wno-array-bounds>
  # GNU statement expressions carry TRY(), the one macro of the project.
  -Wno-pedantic
  # Deprecated: std::stable_sort of libstdc++ 12 calls what it deprecates, and clang tells it to us.
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Werror=thread-safety -Wno-deprecated-declarations
    -Wno-gnu-statement-expression-from-macro-expansion -Wno-missing-field-initializers>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-missing-field-initializers>)

option(TRACEKEEPER_HARDEN "Hardening flags of the release build" OFF)
option(TRACEKEEPER_LTO "Link-time optimisation of the programs" OFF)
set(TRACEKEEPER_SANITIZE "" CACHE STRING "address,undefined or thread")

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()

if(TRACEKEEPER_HARDEN)
  add_compile_options(-D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
                      -fcf-protection=full -D_GLIBCXX_ASSERTIONS)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(TRACEKEEPER_SANITIZE)
  add_compile_options(-fsanitize=${TRACEKEEPER_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TRACEKEEPER_SANITIZE})
  if(TRACEKEEPER_SANITIZE MATCHES undefined)
    # libcpprest hides its type information, which vptr needs.
    add_compile_options(-fno-sanitize=vptr)
  endif()
endif()
if(TRACEKEEPER_FUZZ)
  # Every library tells the fuzzer which code an input reached; only the targets get its main().
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(TRACEKEEPER_LTO)
  # Objects hold both kinds of code. With the linker plugin GCC would optimise every test at link
  # time too, minutes of a clean build: only programs ask for it (tracekeeper_optimise_at_link).
  # The tests then need archives whose index names machine code alone, and `ar` reads intermediate
  # code by itself unless another plugin is named: /dev/null is none.
  set(CMAKE_CXX_ARCHIVE_CREATE "<CMAKE_AR> --plugin /dev/null qcs <TARGET> <OBJECTS>")
  set(CMAKE_CXX_ARCHIVE_FINISH "")
  add_link_options(-fno-use-linker-plugin)
endif()
add_link_options(-Wl,--as-needed)
