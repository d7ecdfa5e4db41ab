# cmake -DTEMPLATES=<folder> -DOUTPUT=<file.cc> -P embed_templates.cmake: every file below a folder as the table that
# app/templates.h declares. A template is a folder; its name is the folder's.
file(GLOB_RECURSE files RELATIVE "${TEMPLATES}" "${TEMPLATES}/*")
list(SORT files)
set(rows "")
foreach(file IN LISTS files)
  if(NOT file MATCHES "^([a-z]+)/(.+)$")
    message(FATAL_ERROR "${file}: a template's file stands in the template's folder")
  endif()
  set(template "${CMAKE_MATCH_1}")
  set(path "${CMAKE_MATCH_2}")
  file(READ "${TEMPLATES}/${file}" text)
  string(APPEND rows "      {\"${template}\", \"${path}\", R\"template(${text})template\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"app/templates.h\"
namespace aios::app {
std::span<const TemplateFile> template_files() {
  static constexpr TemplateFile files[] = {
${rows}  };
  return files;
}
}  // namespace aios::app
")
