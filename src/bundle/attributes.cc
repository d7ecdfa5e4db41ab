// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/attributes.h"

#include "workflow/personal_attribute.h"

namespace aios::bundle {

void check_attributes(Findings* findings) {
  const std::string pointer = "/document/metadata/aios/searchAttributes";
  const Json* declared = at_pointer(findings->root(), pointer);
  if (declared == nullptr || !declared->is_object()) {
    return;
  }
  for (const auto& one : declared->get_object()) {
    std::string at = pointer;
    expr::append_pointer(at, one.key());
    const auto value = one.value().is_string() ? view(one.value().get_string())
                                               : text_or(one.value(), "value", "");
    if (const auto found = workflow::looks_personal(std::string_view(one.key()), value)) {
      findings->warn_at_key(at, found->code(), found->message(), found->page());
    }
  }
}

}  // namespace aios::bundle
