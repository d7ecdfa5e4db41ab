// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/serialize: the bytes of messages that this side sends.

#include "net/http.h"

#include <string>
#include <string_view>

namespace aios::net::detail {

struct AnswerForm {
  std::string_view date;     ///< the value of the Date field
  bool head_only = false;    ///< the request was HEAD
  bool close = false;        ///< the connection ends after it
  bool old_version = false;  ///< HTTP/1.0 asked: say that the connection stays open
};
/// Appends the head of an answer. Fields that belong to framing are ours: the handler's
/// Content-Length, Transfer-Encoding, Connection and Date are left out; control characters in
/// values become blanks and fields without a proper name are dropped, so nothing can be injected.
/// @return whether the body follows.
bool append_answer_head(const Response& response, const AnswerForm& form, std::string* out);

/// Appends one "name: value" line under the same rules; false when it was dropped.
bool append_field(std::string_view name, std::string_view value, std::string* out);
/// Host, Content-Length, Transfer-Encoding, Connection, Date, Expect...: set by the sender alone.
bool is_framing_field(std::string_view lower_name);

}  // namespace aios::net::detail
