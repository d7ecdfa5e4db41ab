# What the programs take their memory with: link aios_allocator. What one thread takes here another gives back (a commit
# goes from a shard to the writer to the folder), in pieces that glibc keeps for no thread (frames of coroutines and texts
# beyond 1 KB): with jemalloc a webhook costs about a fifth less CPU. Sanitizers and fuzzers bring their own.
add_library(aios_allocator INTERFACE)
find_library(AIOS_JEMALLOC jemalloc)
if(AIOS_SANITIZE OR AIOS_FUZZ)
  message(STATUS "memory: that of the sanitizer")
elseif(AIOS_JEMALLOC)
  message(STATUS "memory: jemalloc")
  target_link_libraries(aios_allocator INTERFACE "${AIOS_JEMALLOC}")
else()
  message(STATUS "memory: malloc of the C library, for jemalloc is not here (./dev setup)")
endif()
