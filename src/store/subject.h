// SPDX-License-Identifier: Apache-2.0
#pragma once
// store/subject: data subjects that no sender names. What the installation keeps of its own (API
// keys, tenants) is sealed under subjects that begin like this: whoever could name one as a
// person's would have that person's data sealed, and erased, together with it.

#include <string_view>

namespace aios::store {

inline constexpr std::string_view reserved_subjects = "aios:";

constexpr bool is_reserved_subject(std::string_view subject) {
  return subject.starts_with(reserved_subjects);
}

}  // namespace aios::store
