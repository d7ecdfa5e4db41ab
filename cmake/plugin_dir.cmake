# aios_plugin_dir(<module> DIR d KIND k HEADER h TYPE t): every d/*.cc must define, in namespace aios::<module>,
#   void register_<k>_<stem>(t&);   (the file's stem is the plug-in's name)
# and the module gets register_all_<k>s(t&), which calls them all. Static registrars would be dropped by the linker.
function(aios_plugin_dir module)
  cmake_parse_arguments(A "" "DIR;KIND;HEADER;TYPE" "" ${ARGN})
  file(GLOB files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${module}/${A_DIR}/*.cc")
  list(FILTER files EXCLUDE REGEX "_test\\.cc$")
  list(SORT files)
  foreach(file IN LISTS files)
    get_filename_component(stem "${file}" NAME_WE)
    string(APPEND declarations "void register_${A_KIND}_${stem}(${A_TYPE}&);\n")
    string(APPEND calls "  register_${A_KIND}_${stem}(registry);\n")
  endforeach()
  set(generated "${CMAKE_BINARY_DIR}/generated/${module}_${A_KIND}_registry.cc")
  file(CONFIGURE OUTPUT "${generated}" @ONLY CONTENT "#include \"${A_HEADER}\"
namespace aios::${module} {
${declarations}void register_all_${A_KIND}s([[maybe_unused]] ${A_TYPE}& registry) {
${calls}}
}  // namespace aios::${module}
")
  target_sources(aios_${module} PRIVATE ${files} "${generated}")
endfunction()
