# The Rust static library over regorus and jsonschema (bridge/): target aios_bridge. One build serves every preset.
if(EXISTS "${CMAKE_SOURCE_DIR}/bridge/Cargo.toml")
  set(bridge_dir "${CMAKE_SOURCE_DIR}/bridge")
  set(bridge_target "${CMAKE_SOURCE_DIR}/build/cargo")
  set(bridge_library "${bridge_target}/release/libaios_bridge.a")
  file(GLOB_RECURSE bridge_sources CONFIGURE_DEPENDS "${bridge_dir}/src/*.rs")
  add_custom_command(OUTPUT "${bridge_library}"
    COMMAND cargo build --release --locked --manifest-path "${bridge_dir}/Cargo.toml" --target-dir "${bridge_target}"
    DEPENDS ${bridge_sources} "${bridge_dir}/Cargo.toml" "${bridge_dir}/Cargo.lock"
    COMMENT "cargo build bridge" USES_TERMINAL)
  add_custom_target(aios_bridge_build DEPENDS "${bridge_library}")
  add_library(aios_bridge INTERFACE)
  add_dependencies(aios_bridge aios_bridge_build)
  target_include_directories(aios_bridge INTERFACE "${bridge_dir}/include")
  target_link_libraries(aios_bridge INTERFACE "${bridge_library}" dl m)
  add_test(NAME bridge COMMAND cargo test --release --locked --quiet --manifest-path "${bridge_dir}/Cargo.toml"
    --target-dir "${bridge_target}")
  set_tests_properties(bridge PROPERTIES LABELS bridge)
endif()
