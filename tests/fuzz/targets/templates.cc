// SPDX-License-Identifier: Apache-2.0
// Templates of paths and URIs in the first line, their values behind it: a value stays one segment.
#include "connectors/detail/path_template.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"
#include "workflow/detail/uri_template.h"

#include <algorithm>

namespace aios::fuzz {
namespace {

std::size_t count_of(std::string_view text, std::string_view marks) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [&](char c) { return marks.find(c) != std::string_view::npos; }));
}

}  // namespace

void templates(std::string_view input) {
  const auto [text, rest] = cut(input, "\n");
  auto parsed = parse_json(rest);
  const Json values = parsed.ok() && parsed->is_object() ? std::move(*parsed) : Json(JsonObject());
  constexpr std::string_view marks = "/?#&=@: \r\n";
  if (const auto path = connectors::detail::PathTemplate::parse(text); path.ok()) {
    std::size_t own = 0;
    for (const auto& literal : path->literals()) {
      own += count_of(literal, marks);
    }
    const auto filled = path->fill(values, {.effect_id = "e/1", .run_id = "r?2"});
    if (filled.ok()) {
      AIOS_ASSERT(filled->starts_with('/') && count_of(*filled, marks) == own);
    }
  }
  if (const auto uri = workflow::UriTemplate::parse(text); uri.ok()) {
    const auto expanded = uri->expand(values);
    if (expanded.ok()) {
      std::string bare(text);
      for (const auto& name : uri->names()) {
        const auto at = bare.find("{" + name + "}");
        AIOS_ASSERT(at != std::string::npos);
        bare.erase(at, name.size() + 2);
      }
      AIOS_ASSERT(count_of(*expanded, marks) == count_of(bare, marks));
      AIOS_ASSERT(expanded->starts_with(uri->beginning()));
    }
  }
}

}  // namespace aios::fuzz
