# Dependencies, warnings, and the three functions with which every room is built.
find_package(Threads REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(SQLiteCpp CONFIG REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ZLIB REQUIRED)
find_package(OneDNN REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(mimalloc CONFIG REQUIRED)
find_package(GTest CONFIG REQUIRED)
include(GoogleTest)

add_library(frontier_options INTERFACE)
target_include_directories(frontier_options INTERFACE "${PROJECT_SOURCE_DIR}"
                                                      "${PROJECT_BINARY_DIR}/generated")
target_compile_options(frontier_options INTERFACE -Wall -Wextra -Wshadow=local -Wnon-virtual-dtor)
target_compile_definitions(frontier_options INTERFACE FRONTIER_VERSION="${PROJECT_VERSION}")
if(FRONTIER_WERROR)
  target_compile_options(frontier_options INTERFACE -Werror)
endif()
if(FRONTIER_SANITIZE)
  target_compile_options(frontier_options INTERFACE -fsanitize=${FRONTIER_SANITIZE}
                                                    -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(frontier_options INTERFACE -fsanitize=${FRONTIER_SANITIZE})
  # GCC cannot follow initializations through the sanitizers' instrumentation.
  target_compile_options(frontier_options INTERFACE -Wno-maybe-uninitialized)
endif()
# Half of the compilation for what AddressSanitizer mostly sees, too.
if(FRONTIER_SANITIZE MATCHES "undefined" AND NOT FRONTIER_SANITIZE_POINTERS)
  target_compile_options(frontier_options INTERFACE -fno-sanitize=null,alignment,vptr)
endif()

# Headers of others and generated ones only: ours would lose their warnings. gRPC's and CLI11's are
# for the targets that link them; SQLite's and oneDNN's are for none and stay in their rooms.
set(FRONTIER_COMMON_HEADERS
    <algorithm> <cmath> <cstdint> <functional> <map> <memory> <optional> <set> <string> <utility>
    <vector> <absl/container/flat_hash_map.h> <absl/status/status.h> <absl/status/statusor.h>
    <absl/strings/str_cat.h> <absl/strings/str_join.h> <absl/strings/string_view.h>
    <absl/time/time.h> <absl/types/span.h> <frontier/v1/error.pb.h> <frontier/v1/job_service.pb.h>
    <frontier/v1/worker_service.pb.h>)
if(FRONTIER_PRECOMPILE)
  # GCC takes a header only if _REENTRANT is as when it was precompiled; some dependencies bring this.
  target_compile_options(frontier_options INTERFACE -pthread)
  # Of what it took from a precompiled header GCC 12 no longer knows that it is the standard
  # library's, and sees overlaps and overflows in moved strings. Builds without one keep these.
  target_compile_options(frontier_options INTERFACE -Wno-array-bounds -Wno-restrict
                                                    -Wno-stringop-overflow -Wno-stringop-overread)
endif()

# frontier_precompile(NAME OWNER [OPTIONS ...] [HEADERS ...] [DEPS ...]): NAME takes the precompiled
# header of the target OWNER, which the first call makes with what more than the common it needs.
# Both must be compiled with the same options: with others GCC may fail inside.
function(frontier_precompile name owner)
  cmake_parse_arguments(ARG "" "" "OPTIONS;HEADERS;DEPS" ${ARGN})
  if(NOT FRONTIER_PRECOMPILE)
    return()
  endif()
  if(NOT TARGET ${owner})
    file(WRITE "${PROJECT_BINARY_DIR}/precompiled/${owner}.cc" "")
    add_library(${owner} OBJECT "${PROJECT_BINARY_DIR}/precompiled/${owner}.cc")
    target_link_libraries(${owner} PRIVATE frontier_options frontier_proto ${ARG_DEPS})
    target_compile_options(${owner} PRIVATE ${ARG_OPTIONS})
    target_precompile_headers(${owner} PRIVATE ${FRONTIER_COMMON_HEADERS} ${ARG_HEADERS})
  endif()
  target_precompile_headers(${name} REUSE_FROM ${owner})
endfunction()

# What uses CLI11 reads flags and prints text: not worth optimizing, and most of its compilation is
# CLI11's own code.
function(frontier_precompile_product name)
  if("CLI11::CLI11" IN_LIST ARGN)
    set(options $<$<CONFIG:Release>:-O1>)
    target_compile_options(${name} PRIVATE ${options})
    frontier_precompile(${name} frontier_precompiled_cli OPTIONS ${options} HEADERS <CLI/CLI.hpp>
                        DEPS CLI11::CLI11)
  elseif("OpenMP::OpenMP_CXX" IN_LIST ARGN)
    frontier_precompile(${name} frontier_precompiled_openmp DEPS OpenMP::OpenMP_CXX)
  elseif("frontier_grpc" IN_LIST ARGN)
    frontier_precompile(${name} frontier_precompiled_grpc DEPS frontier_grpc
                        HEADERS <grpcpp/grpcpp.h> <frontier/v1/job_service.grpc.pb.h>
                                <frontier/v1/worker_service.grpc.pb.h>)
  else()
    frontier_precompile(${name} frontier_precompiled)
  endif()
endfunction()

# frontier_library(NAME SRCS a.cc a.h ... [DEPS public...] [PRIVATE_DEPS private...])
# Third-party libraries go to PRIVATE_DEPS, so that their headers stay in their room.
function(frontier_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SRCS})
  target_link_libraries(${name} PUBLIC frontier_options ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  frontier_precompile_product(${name} ${ARG_DEPS} ${ARG_PRIVATE_DEPS})
endfunction()

# frontier_binary(NAME SRCS main.cc ... [DEPS ...] [FAST_ALLOCATOR])
# FAST_ALLOCATOR is for what makes and drops many small messages. Sanitizers have their own.
function(frontier_binary name)
  cmake_parse_arguments(ARG "FAST_ALLOCATOR" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE frontier_options ${ARG_DEPS})
  if(ARG_FAST_ALLOCATOR AND NOT FRONTIER_SANITIZE)
    target_link_libraries(${name} PRIVATE mimalloc)
  endif()
  frontier_precompile_product(${name} ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
endfunction()

# What only tests are compiled with. Optimizing them takes a third of their compilation and mostly
# gains nothing; nor does watching each variable on their stack, which takes a quarter.
set(FRONTIER_TEST_OPTIONS -O0)
# GCC 12 sees an overlap in GoogleTest's printer of messages that is none (GCC bug 105651).
list(APPEND FRONTIER_TEST_OPTIONS -Wno-restrict)
if(FRONTIER_SANITIZE MATCHES "address" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND FRONTIER_TEST_OPTIONS --param=asan-stack=0
              --param=asan-instrumentation-with-call-threshold=0)
endif()

set(FRONTIER_TEST_DATA "${PROJECT_SOURCE_DIR}/../shared/data" CACHE PATH
    "Public data that some tests read, unless FRONTIER_BENCH_DATA names another folder; skipped without")

# The tests that the presets of these names build and run; see CMakePresets.json.
add_custom_target(asan_tests)
add_custom_target(tsan_tests)

# frontier_test(NAME LABELS unit [...] SRCS a_test.cc ... [DEPS ...] [TIMEOUT seconds] [SERIAL]
#               [OPTIMIZED])
# One binary; every TEST in it is a ctest entry of its own. SERIAL ones have the machine alone.
# OPTIMIZED is for those that compute much themselves.
function(frontier_test name)
  cmake_parse_arguments(ARG "SERIAL;OPTIMIZED" "TIMEOUT" "LABELS;SRCS;DEPS" ${ARGN})
  set(options ${FRONTIER_TEST_OPTIONS})
  set(precompiled frontier_precompiled_test)
  if(ARG_OPTIMIZED)
    list(APPEND options -O1)
    string(APPEND precompiled _optimized)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE frontier_options ${ARG_DEPS} GTest::gmock
                                        GTest::gtest_main)
  target_compile_options(${name} PRIVATE ${options})
  frontier_precompile(${name} ${precompiled} OPTIONS ${options} HEADERS <gmock/gmock.h> <gtest/gtest.h>
                      DEPS GTest::gmock)
  gtest_discover_tests(${name} TEST_PREFIX "${name}." TEST_LIST ${name}_tests DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT ${ARG_TIMEOUT} RUN_SERIAL ${ARG_SERIAL}
                                  ENVIRONMENT GOMP_SPINCOUNT=20000)
  # A unit test is built with the sanitizer that tells more of it; with none if it starts no thread,
  # which is `sequential`.
  if(ARG_LABELS MATCHES "unit|contract" AND NOT ARG_LABELS MATCHES "grpc|openmp|sequential")
    add_dependencies(tsan_tests ${name})
  endif()
  if(ARG_LABELS MATCHES "contract|fuzz" OR ARG_LABELS MATCHES "unit.*(grpc|openmp)" OR
     (ARG_LABELS MATCHES "unit" AND FRONTIER_SANITIZE_ALL))
    add_dependencies(asan_tests ${name})
  endif()
  # gtest_discover_tests keeps only the first label of a list; this is read after what it writes.
  set(labels_file "${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake")
  file(WRITE "${labels_file}" "foreach(test IN LISTS ${name}_tests)\n"
       "  set_tests_properties(\"\${test}\" PROPERTIES LABELS \"${ARG_LABELS}\")\nendforeach()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${labels_file}")
endfunction()
