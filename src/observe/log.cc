// SPDX-License-Identifier: Apache-2.0
#include "observe/log.h"

#include <optional>
#include <string>
#include <utility>

namespace aios::observe {

namespace {

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
  }
  return "error";
}

boost::json::string_view borrow(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Log::Log(Sink sink, Level least, runtime::Clock& clock)
    : sink_(std::move(sink)),
      least_(least),
      clock_(&clock) {}

void Log::write(Level level, std::string_view area, std::string_view message,
                const JsonObject& fields, const Context* ctx) const {
  if (level < least_ || !sink_) {
    return;
  }
  JsonObject line;
  line.reserve(8);
  line["time"] = to_rfc3339(clock_->now());
  line["level"] = borrow(name_of(level));
  line["area"] = borrow(area);
  line["message"] = borrow(message);
  if (ctx != nullptr) {
    if (ctx->trace.valid()) {
      line["trace"] = ctx->trace.trace_id_hex();
      line["span"] = ctx->trace.span_id_hex();
    }
    if (!ctx->tenant.empty()) {
      line["tenant"] = ctx->tenant.text();
    }
  }
  if (!fields.empty()) {
    line["fields"] = fields;
  }
  sink_(to_text(Json(std::move(line))));
}

void Log::error(std::string_view area, const Error& error, const Context* ctx) const {
  JsonObject fields;
  fields["code"] = borrow(aios::name_of(error.code()));
  fields["retry"] = borrow(aios::name_of(error.retry()));
  if (error.page() != 0) {
    fields["page"] = page_text(error.page());
  }
  if (!error.file().empty()) {
    fields["file"] = error.file();
    fields["line"] = error.line();
    fields["column"] = error.column();
  }
  write(Level::error, area, error.message(), fields, ctx);
}

std::optional<Level> parse_level(std::string_view name) {
  for (const Level level : {Level::debug, Level::info, Level::warn, Level::error}) {
    if (name == name_of(level)) {
      return level;
    }
  }
  return std::nullopt;
}

}  // namespace aios::observe
