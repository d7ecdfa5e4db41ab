# ccache for every build directory of this checkout, and shared by them (see the precompiled header below).
find_program(AIOS_CCACHE ccache)
if(AIOS_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1 "${AIOS_CCACHE}")
endif()

# Flags that every target gets: interface target aios_options.
set(AIOS_SANITIZE "" CACHE STRING "empty, address or thread")
add_library(aios_options INTERFACE)
target_include_directories(aios_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_definitions(aios_options INTERFACE BOOST_ASIO_NO_DEPRECATED)
target_compile_options(aios_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror)
target_link_options(aios_options INTERFACE -fuse-ld=lld)
if(AIOS_SANITIZE STREQUAL "address")
  set(flags -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(AIOS_SANITIZE STREQUAL "thread")
  set(flags -fsanitize=thread -fno-omit-frame-pointer)
endif()
if(flags)
  target_compile_options(aios_options INTERFACE ${flags})
  target_link_options(aios_options INTERFACE ${flags})
endif()
target_link_libraries(aios_options INTERFACE fmt boost_json Threads::Threads)

# Two precompiled headers (the libraries that nearly every file sees): one for the product, one for its tests, which are
# compiled with AIOS_TEST_FLAGS behind the others (-O0: that they run a little longer costs less than optimising them).
option(AIOS_PCH "precompile the common headers" ON)
set(AIOS_TEST_FLAGS "" CACHE STRING "flags of test sources, behind all others")
separate_arguments(AIOS_TEST_FLAGS)
file(SHA256 "${CMAKE_CURRENT_LIST_FILE}" AIOS_OPTIONS_SUM)  # the lists of headers, and the flags above

# aios_pch(TARGET FLAGS... HEADERS <header>...)
function(aios_pch target)
  cmake_parse_arguments(A "" "" "FLAGS;HEADERS" ${ARGN})
  if(NOT EXISTS "${CMAKE_BINARY_DIR}/${target}.cc")  # written once: a new time stamp would build everything anew
    file(WRITE "${CMAKE_BINARY_DIR}/${target}.cc" "")
  endif()
  add_library(${target} STATIC "${CMAKE_BINARY_DIR}/${target}.cc")
  target_link_libraries(${target} PRIVATE aios_options)
  target_compile_options(${target} PRIVATE -Xclang -fno-pch-timestamp ${A_FLAGS})
  target_precompile_headers(${target} PRIVATE ${A_HEADERS})
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.pch.sum" CONTENT
    "${CMAKE_CXX_COMPILER} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS} ${A_FLAGS} ${AIOS_SANITIZE} ${target} ${AIOS_OPTIONS_SUM}\n")
endfunction()

if(AIOS_PCH)
  # Given so, ccache sees the path and makes it relative to its base directory; with the sum file beside it, it hashes
  # that instead of the precompiled bytes, which differ from one build directory to the next. So they share results.
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)
  set(common <boost/json.hpp> <fmt/format.h> <functional> <map> <memory> <mutex> <optional> <string> <string_view>
    <unordered_map> <variant> <vector>)
  aios_pch(aios_pch HEADERS ${common})
  aios_pch(aios_test_pch FLAGS ${AIOS_TEST_FLAGS} HEADERS ${common} <doctest/doctest.h>)
endif()

# The test framework itself, compiled once for all programs of tests.
add_library(aios_test_main OBJECT "${CMAKE_SOURCE_DIR}/cmake/test_main.cc")
target_link_libraries(aios_test_main PRIVATE aios_options)
