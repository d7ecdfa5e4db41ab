// SPDX-License-Identifier: Apache-2.0
// A workflow's document: it loads, or all that is wrong with it is told at a place.
#include "core/text.h"
#include "tests/fuzz/fuzz.h"
#include "workflow/detail/loader.h"
#include "workflow/engine.h"

#include <algorithm>

namespace aios::fuzz {

void workflow(std::string_view input) {
  namespace flow = aios::workflow;
  flow::FunctionRegistry functions;
  flow::register_all_functions(functions);
  const flow::DefinitionFile file{"w.yaml", std::string(input)};
  std::vector<Error> errors;
  const auto definition = flow::load_definition(file, functions, &errors);
  AIOS_ASSERT((definition == nullptr) == !errors.empty());
  const auto lines = static_cast<std::uint32_t>(std::count(input.begin(), input.end(), '\n'));
  for (const Error& error : errors) {
    AIOS_ASSERT(error.page() != 0 && is_utf8(error.text()));
    AIOS_ASSERT(error.line() <= lines + 2);
  }
  if (definition != nullptr) {
    AIOS_ASSERT(!definition->lists.empty() && !definition->info.name.empty());
    AIOS_ASSERT(definition->text == input);
    for (const auto& list : definition->lists) {
      std::uint32_t at = 0;
      AIOS_ASSERT(definition->list_at(list->pointer, &at) != nullptr);
    }
  }
}

}  // namespace aios::fuzz
