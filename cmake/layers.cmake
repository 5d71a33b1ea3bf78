# One static library a folder, linked against what tools/lint/layers.txt allows that folder and
# nothing more, so the link graph and the include table cannot differ.
#
#   tracekeeper_library(src/net SOURCES a.cc b.cc LIBRARIES Boost::headers)
#
# makes `tracekeeper_net` with the alias `tracekeeper::net`. LIBRARIES are third-party: private,
# because third-party types stay out of our headers; PUBLIC_LIBRARIES are the listed exceptions.

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             ${CMAKE_SOURCE_DIR}/tools/lint/layers.txt)
file(STRINGS ${CMAKE_SOURCE_DIR}/tools/lint/layers.txt TRACEKEEPER_LAYERS REGEX "^[a-z]")

# The library name of a folder: src/net -> tracekeeper_net, operator/api -> tracekeeper_operator_api.
function(tracekeeper_target_name folder out)
  string(REGEX REPLACE "^src/" "" name "${folder}")
  string(REPLACE "/" "_" name "${name}")
  set(${out} "tracekeeper_${name}" PARENT_SCOPE)
endfunction()

# The libraries that the table allows `folder` to use. They are linked by name and checked when
# the build files are written, so the order of add_subdirectory does not matter.
function(tracekeeper_layer_dependencies folder out)
  set(found FALSE)
  set(result "")
  foreach(line IN LISTS TRACEKEEPER_LAYERS)
    if(line MATCHES "^${folder} *:(.*)$")
      set(found TRUE)
      string(REGEX MATCHALL "[a-z_/]+" folders "${CMAKE_MATCH_1}")
      foreach(other IN LISTS folders)
        if(EXISTS ${CMAKE_SOURCE_DIR}/${other}/CMakeLists.txt)
          tracekeeper_target_name(${other} target)
          list(APPEND result ${target})
        endif()
      endforeach()
    endif()
  endforeach()
  if(NOT found)
    message(FATAL_ERROR "${folder} is not in tools/lint/layers.txt: add a line that says what it may include")
  endif()
  set(${out} "${result}" PARENT_SCOPE)
endfunction()

function(tracekeeper_library folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES;PUBLIC_LIBRARIES" ${ARGN})
  tracekeeper_target_name(${folder} name)
  tracekeeper_layer_dependencies(${folder} dependencies)
  add_library(${name} STATIC ${ARG_SOURCES})
  string(REPLACE "tracekeeper_" "tracekeeper::" alias ${name})
  add_library(${alias} ALIAS ${name})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${dependencies} ${ARG_PUBLIC_LIBRARIES}
                        PRIVATE ${ARG_LIBRARIES} tracekeeper_warnings)
  set_target_properties(${name} PROPERTIES FOLDER ${folder})
  if(TRACEKEEPER_LTO)
    # Both kinds of code in one object: programs link the intermediate one, tests the machine code.
    target_compile_options(${name} PRIVATE -flto=auto -ffat-lto-objects)
  endif()
endfunction()

# Links an executable with link-time optimisation: the programs, and the benchmarks that speak for them.
function(tracekeeper_optimise_at_link program)
  if(TRACEKEEPER_LTO)
    target_compile_options(${program} PRIVATE -flto=auto -fno-fat-lto-objects)
    target_link_options(${program} PRIVATE -flto=auto -fuse-linker-plugin)
  endif()
endfunction()

add_custom_target(programs)  # all that users get: `make build`

# One small program: options, wiring, main. Link-time optimisation is for programs only.
function(tracekeeper_program folder program)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  tracekeeper_layer_dependencies(${folder} dependencies)
  add_executable(${program} ${ARG_SOURCES})
  target_include_directories(${program} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${program} PRIVATE ${dependencies} ${ARG_LIBRARIES} tracekeeper_warnings)
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  tracekeeper_optimise_at_link(${program})
  add_dependencies(programs ${program})
  install(TARGETS ${program} RUNTIME DESTINATION bin)
endfunction()

add_custom_target(unit_tests)  # the tests labelled unit: what runs under the sanitizers

# What a test calls is compiled as its preset says. The test's own code is compiled quicker: in a
# release build optimised less, under sanitizers not at all, and without UBSan, whose checks double
# what it costs to compile. The precompiled header must have the same options.
function(tracekeeper_compile_as_test target)
  # g++ 12 sees overflows in std::string's own copying at this level.
  target_compile_options(${target} PRIVATE "$<$<CONFIG:Release>:-O1;-Wno-stringop-overflow;-Wno-stringop-overread>")
  if(TRACEKEEPER_SANITIZE)
    target_compile_options(${target} PRIVATE -O0 -fno-sanitize=undefined)
  endif()
endfunction()

# An executable of tests; those who call it say how ctest runs it.
function(tracekeeper_test_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  tracekeeper_compile_as_test(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gmock GTest::gtest GTest::gtest_main
                        tracekeeper_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(TARGET tracekeeper_precompiled)
    target_precompile_headers(${name} REUSE_FROM tracekeeper_precompiled)
    # ccache keeps what used a precompiled header only so.
    target_compile_options(${name} PRIVATE -fpch-preprocess)
  endif()
endfunction()

# One test program per tested folder:
#   tracekeeper_test(net_test LABEL unit SOURCES ... DEPENDS tracekeeper::net tracekeeper::test_support)
# Tests may use any library; LABEL is unit, integration, lint or e2e.
function(tracekeeper_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPENDS;PROPERTIES" ${ARGN})
  tracekeeper_test_program(${name} SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(ARG_LABEL STREQUAL unit)
    add_dependencies(unit_tests ${name})
  endif()
  if(TRACEKEEPER_SANITIZE)
    # A program at once: under sanitizers to start one costs more than most tests.
    math(EXPR timeout "10 * ${ARG_TIMEOUT}")
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${timeout} ${ARG_PROPERTIES})
    return()
  endif()
  # A parameter is named by its test, not printed: as bytes it would differ at every build.
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES
                       PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT} ${ARG_PROPERTIES})
endfunction()
