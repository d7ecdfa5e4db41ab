# Writes a source file with a table of texts: `std::span<const TYPE> FUNCTION()` of namespace aios::MODULE, which HEADER
# declares. Rows are initialisers of TYPE, a line each.
function(write_embedded_table output header module type function rows)
  file(WRITE "${output}" "#include \"${header}\"
namespace aios::${module} {
std::span<const ${type}> ${function}() {
  static constexpr ${type} rows[] = {
${rows}  };
  return rows;
}
}  // namespace aios::${module}
")
endfunction()
