// SPDX-License-Identifier: Apache-2.0
// The files of a bundle, each behind a line "=== path": it is good, or all that is wrong is told
// at its file.
#include "bundle/bundle.h"

#include "core/text.h"
#include "tests/fuzz/fuzz.h"
#include "workflow/function.h"

namespace aios::fuzz {

void bundle(std::string_view input) {
  bundle::Files files;
  std::string_view rest = cut(input, "=== ").second;
  while (!rest.empty() && files.size() < 10) {
    const auto [file, behind] = cut(rest, "\n=== ");
    const auto [path, text] = cut(file, "\n");
    files.emplace(path, text);
    rest = behind;
  }
  workflow::FunctionRegistry functions;
  workflow::register_all_functions(functions);
  const auto checked = bundle::check_bundle(files, {}, functions);
  AIOS_ASSERT(checked.bundle.has_value() == checked.errors.empty());
  for (const auto* errors : {&checked.errors, &checked.warnings}) {
    for (const Error& error : *errors) {
      AIOS_ASSERT(error.page() != 0 && is_utf8(error.text()));
    }
  }
}

}  // namespace aios::fuzz
