// SPDX-License-Identifier: Apache-2.0
// A knowledge article: its passages are parts of it, in order.
#include "data/article.h"

#include "core/text.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void article(std::string_view input) {
  std::vector<Error> errors;
  const auto read = data::read_article("knowledge/a.md", input, &errors);
  AIOS_ASSERT(read.has_value() == errors.empty());
  for (const Error& error : errors) {
    AIOS_ASSERT(error.page() != 0 && is_utf8(error.text()));
  }
  if (!read) {
    return;
  }
  AIOS_ASSERT(read->text == input && read->body <= input.size() && is_utf8(input));
  std::size_t at = read->body;
  for (const auto& passage : data::split_passages(*read)) {
    AIOS_ASSERT(!passage.text.empty() && is_utf8(passage.text) && is_utf8(passage.heading));
    AIOS_ASSERT(passage.offset >= at && passage.offset <= input.size());
    at = passage.offset;
  }
}

}  // namespace aios::fuzz
