// SPDX-License-Identifier: Apache-2.0
#include "gateway/detail/content.h"

#include <fmt/format.h>

namespace aios::gateway::detail {
namespace {

constexpr govern::PersonalBounds bounds{.bytes_max = input_bytes_max};

}  // namespace

Result<Content> look_at(const Json& input) {
  auto looked = govern::find_personal_data_in(input, bounds);
  if (!looked.ok()) {
    return Error(Code::invalid_argument,
                 fmt::format("the model's input: {}", looked.error().message()))
        .page(800);
  }
  return Content{looked->kinds(), looked->characters};
}

Result<void> mask(Json* input) { return govern::mask_personal_data(input, bounds); }

}  // namespace aios::gateway::detail
