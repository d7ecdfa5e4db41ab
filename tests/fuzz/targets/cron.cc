// SPDX-License-Identifier: Apache-2.0
// A cron expression: it fires behind the time it is asked for, at a whole minute, each later one
// later.
#include "ingress/cron.h"

#include "core/text.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void cron(std::string_view input) {
  const auto [text, name] = cut(input, "\n");
  const auto zone = ingress::Zone::find(name.empty() ? "Europe/Berlin" : name);
  const auto expression = ingress::Cron::parse(text);
  if (!expression.ok()) {
    AIOS_ASSERT(is_utf8(expression.error().message()));
    return;
  }
  if (!zone.ok()) {
    return;
  }
  for (Time after : {Time{1'700'000'000'000'000'000}, Time{0}}) {
    for (int i = 0; i < 4; ++i) {
      const auto next = expression->next(after, *zone);
      if (!next) {
        break;
      }
      AIOS_ASSERT(*next > after && next->ns % 60'000'000'000 == 0);
      after = *next;
    }
  }
}

}  // namespace aios::fuzz
