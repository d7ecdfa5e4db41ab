# cmake -DPAGES=<folder> -DOUTPUT=<file.cc> -P embed_pages.cmake: the pages AIOS-nnnn.md of a folder as the table that
# api/error_pages.h declares. The first line of a page is "# AIOS-nnnn: Title".
file(GLOB pages "${PAGES}/AIOS-[0-9][0-9][0-9][0-9].md")
list(SORT pages)
set(rows "")
foreach(page IN LISTS pages)
  get_filename_component(stem "${page}" NAME_WE)
  file(READ "${page}" text)
  if(NOT text MATCHES "^# ${stem}: ([^\n]+)\n")
    message(FATAL_ERROR "${page}: the first line is not '# ${stem}: Title'")
  endif()
  set(title "${CMAKE_MATCH_1}")
  string(REGEX REPLACE "^AIOS-0*" "" number "${stem}")
  string(APPEND rows "      {${number}, R\"page(${title})page\",\n       R\"page(${text})page\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"api/error_pages.h\"
namespace aios::api {
std::span<const ErrorPage> error_pages() {
  static constexpr ErrorPage pages[] = {
${rows}  };
  return pages;
}
}  // namespace aios::api
")
