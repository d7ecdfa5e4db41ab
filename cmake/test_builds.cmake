# What only builds for tests have: failpoints (core/failpoint.h), and programs that lack a check (core/broken.h).
option(AIOS_RELEASE "a build that is given to others: nothing that is for tests alone" OFF)
option(AIOS_FAILPOINTS "compile the failpoints in" OFF)
set(AIOS_BREAK "" CACHE STRING "the check that the program aios is to lack, for a test: fence, version, epoch or key")
set(AIOS_CHECKS fence version epoch key)
if(AIOS_BREAK AND AIOS_RELEASE)
  message(FATAL_ERROR "AIOS_BREAK=${AIOS_BREAK} makes a program that loses and doubles work: not with the preset release")
endif()
if(AIOS_BREAK AND NOT AIOS_BREAK IN_LIST AIOS_CHECKS)
  message(FATAL_ERROR "AIOS_BREAK=${AIOS_BREAK}, wanted one of ${AIOS_CHECKS}, or nothing")
endif()

# Switches on the failpoints of the sources that have any: no other is compiled differently. A first failpoint in a source
# counts from the next time that this runs.
function(aios_switch_failpoints_on dir)
  if(NOT AIOS_FAILPOINTS)
    return()
  endif()
  file(GLOB_RECURSE sources "${dir}/*.cc")
  foreach(source IN LISTS sources)
    file(STRINGS "${source}" found REGEX "^ *AIOS_FAILPOINT\\(" LIMIT_COUNT 1)
    if(found)
      set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_DEFINITIONS AIOS_FAILPOINTS)
    endif()
  endforeach()
endfunction()

# aios_without(CHECK): the object library aios_without_CHECK, the one source that has the check compiled without it. Linked as
# objects it stands before the module's library, which then gives everything else.
function(aios_without check)
  set(source "store/detail/preconditions.cc")
  if(check STREQUAL "fence")
    set(source "workflow/effects.cc")
  endif()
  add_library(aios_without_${check} OBJECT EXCLUDE_FROM_ALL
    "${CMAKE_SOURCE_DIR}/src/${source}" "${CMAKE_SOURCE_DIR}/src/core/broken.cc")
  target_link_libraries(aios_without_${check} PRIVATE aios_workflow)
  target_compile_definitions(aios_without_${check} PRIVATE "AIOS_BREAK=\"${check}\"")
  aios_use_pch(aios_without_${check})
endfunction()
