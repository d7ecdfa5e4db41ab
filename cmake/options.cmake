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

# One precompiled header for all (the libraries that nearly every file sees).
option(AIOS_PCH "precompile the common headers" ON)
if(AIOS_PCH)
  if(NOT EXISTS "${CMAKE_BINARY_DIR}/pch.cc")  # written once: a new time stamp would build everything anew
    file(WRITE "${CMAKE_BINARY_DIR}/pch.cc" "")
  endif()
  # Given so, ccache sees the path and makes it relative to its base directory; with the sum file beside it, it hashes
  # that instead of the precompiled bytes, which differ from one build directory to the next. So they share results.
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)
  add_library(aios_pch STATIC "${CMAKE_BINARY_DIR}/pch.cc")
  target_link_libraries(aios_pch PRIVATE aios_options)
  target_compile_options(aios_pch PRIVATE -Xclang -fno-pch-timestamp)
  target_precompile_headers(aios_pch PRIVATE <boost/json.hpp> <fmt/format.h> <functional> <map> <memory>
    <mutex> <optional> <string> <string_view> <unordered_map> <variant> <vector>)
  file(SHA256 "${CMAKE_CURRENT_LIST_FILE}" own_sum)  # the list of headers, and the flags above
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/CMakeFiles/aios_pch.dir/cmake_pch.hxx.pch.sum"
    CONTENT "${CMAKE_CXX_COMPILER} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS} ${AIOS_SANITIZE} ${own_sum}\n")
endif()
