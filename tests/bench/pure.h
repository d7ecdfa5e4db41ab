// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/bench/pure: the run of three pure steps that is measured in process and over HTTP.

#include "report.h"

#include "core/json.h"

#include <string_view>

namespace aios::bench {

inline constexpr std::string_view pure_document = R"(
document: {dsl: '1.0.3', namespace: bench, name: pure, version: '1.0.0'}
do:
  - price:
      set: {total: '${ .items | map(.cents * .count) | add }', customer: '${ .customer }'}
  - rate:
      set: {total: '${ .total }', class: '${ if .total > 10000 then "large" else "small" end }'}
  - say:
      set: {text: '${ "\(.class) order of \(.total) cents" }'}
)";

Json pure_input();

/// The same over HTTP to a whole server in this process, with a key, 128 connections that stay.
/// Ends the process with 1 where other runs are stored than were answered.
void measure_http(const Options& options, Report* report);

}  // namespace aios::bench
