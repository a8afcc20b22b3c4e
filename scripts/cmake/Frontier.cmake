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

# frontier_library(NAME SRCS a.cc a.h ... [DEPS public...] [PRIVATE_DEPS private...])
# Third-party libraries go to PRIVATE_DEPS, so that their headers stay in their room.
function(frontier_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SRCS})
  target_link_libraries(${name} PUBLIC frontier_options ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
endfunction()

# frontier_binary(NAME SRCS main.cc ... [DEPS ...])
function(frontier_binary name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE frontier_options ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
endfunction()

set(FRONTIER_TEST_DATA "${PROJECT_SOURCE_DIR}/../shared/data" CACHE PATH
    "Public data that some tests read if it is there; they are skipped if not")

# The tests that the presets of these names build and run; see CMakePresets.json.
add_custom_target(asan_tests)
add_custom_target(tsan_tests)

# frontier_test(NAME LABELS unit [...] SRCS a_test.cc ... [DEPS ...] [TIMEOUT seconds] [SERIAL])
# One binary; every TEST in it is a ctest entry of its own. SERIAL ones have the machine alone.
function(frontier_test name)
  cmake_parse_arguments(ARG "SERIAL" "TIMEOUT" "LABELS;SRCS;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE frontier_options ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  # Optimizing the tests themselves takes a quarter of their compilation and gains nothing.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  # GCC 12 sees an overlap in GoogleTest's printer of messages that is none (GCC bug 105651).
  target_compile_options(${name} PRIVATE -Wno-restrict)
  gtest_discover_tests(${name} TEST_PREFIX "${name}." TEST_LIST ${name}_tests DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT ${ARG_TIMEOUT} RUN_SERIAL ${ARG_SERIAL}
                                  ENVIRONMENT GOMP_SPINCOUNT=20000)
  if(ARG_LABELS MATCHES "unit|contract|fuzz")
    add_dependencies(asan_tests ${name})
    # json: the library's google.protobuf.Struct has another layout under ThreadSanitizer.
    # sequential: it starts no thread.
    if(NOT ARG_LABELS MATCHES "fuzz|grpc|openmp|json|sequential")
      add_dependencies(tsan_tests ${name})
    endif()
  endif()
  # gtest_discover_tests keeps only the first label of a list; this is read after what it writes.
  set(labels_file "${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake")
  file(WRITE "${labels_file}" "foreach(test IN LISTS ${name}_tests)\n"
       "  set_tests_properties(\"\${test}\" PROPERTIES LABELS \"${ARG_LABELS}\")\nendforeach()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${labels_file}")
endfunction()
