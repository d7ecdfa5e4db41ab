// SPDX-License-Identifier: Apache-2.0
#pragma once
// observe/log: one JSON object a line to a sink: time, level, area, message, trace, span, tenant,
// fields. Thread-safe when the sink is. Never log payloads or secrets: fields
// are ids, counts, codes.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "runtime/executor.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace aios::observe {

enum class Level : std::uint8_t { debug, info, warn, error };

class Log {
 public:
  using Sink = std::function<void(std::string_view line)>;
  explicit Log(Sink sink, Level least = Level::info,
               runtime::Clock& clock = runtime::system_clock());
  /// @param area  module or part, e.g. "store", "ingress"
  void write(Level level, std::string_view area, std::string_view message,
             const JsonObject& fields = {}, const Context* ctx = nullptr) const;
  /// The error's message with its code, page, retry class and place as fields.
  void error(std::string_view area, const Error& error, const Context* ctx = nullptr) const;

 private:
  Sink sink_;
  Level least_;
  runtime::Clock* clock_;
};
/// The name as in the log lines; nothing for any other text.
std::optional<Level> parse_level(std::string_view name);

}  // namespace aios::observe
