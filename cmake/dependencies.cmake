# Every third-party library, found once, from Debian 12's packages. Why each is here: docs/adr/0002.
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(cpprestsdk CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(simdjson CONFIG REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(tl-expected CONFIG REQUIRED)
find_package(GTest CONFIG REQUIRED)
# gRPC's configuration names Protobuf's targets, so it comes second. We link no libprotobuf with it.
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(benchmark CONFIG)

# Boost as every target must see it: libcpprest.so exports Asio symbols that merge with ours, so one
# program must not hold two settings of the same templates.
add_library(tracekeeper_asio INTERFACE)
target_link_libraries(tracekeeper_asio INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(tracekeeper_asio INTERFACE BOOST_ASIO_DISABLE_CO_AWAIT
                                                      _TURN_OFF_PLATFORM_STRING)

# OpenSSL, nghttp2, the compressors and yaml-cpp are linked statically into a program that sets
# TRACEKEEPER_STATIC_RUNTIME (the sidecar: idle memory), and shared into all others. The expression
# is evaluated for the program that is being linked, not for the library that names it.
function(tracekeeper_switchable name shared static_libraries)
  set(archives "")
  foreach(library IN LISTS static_libraries)
    find_library(archive_${library} NAMES lib${library}.a REQUIRED)
    list(APPEND archives ${archive_${library}})
  endforeach()
  add_library(${name} INTERFACE)
  set(is_static "$<BOOL:$<TARGET_PROPERTY:TRACEKEEPER_STATIC_RUNTIME>>")
  foreach(archive IN LISTS archives)
    target_link_libraries(${name} INTERFACE "$<${is_static}:${archive}>")
  endforeach()
  foreach(library IN LISTS shared)
    target_link_libraries(${name} INTERFACE "$<$<NOT:${is_static}>:${library}>")
  endforeach()
endfunction()
tracekeeper_switchable(tracekeeper_openssl "OpenSSL::SSL;OpenSSL::Crypto" "ssl;crypto")
tracekeeper_switchable(tracekeeper_yaml_cpp "yaml-cpp" "yaml-cpp")
tracekeeper_switchable(tracekeeper_nghttp2 "nghttp2" "nghttp2")
tracekeeper_switchable(tracekeeper_compression "deflate;z;zstd" "deflate;z;zstd")
# Debian ships no archive of it, and the linker leaves it out where nothing is compressed.
target_link_libraries(tracekeeper_compression INTERFACE isal)
