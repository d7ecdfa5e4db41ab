// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/plan_text: what a deployment changes (bundle::Plan as JSON), as lines for people.

#include "core/json.h"

#include <string>
#include <vector>

namespace aios::app {

/// One line each: "+ form forms/a.json", "~ workflow a/b 1.0.0 (3f2a) -> 1.1.0 (b1c2)",
/// "~ parameter limit: 100 -> 80", and with "=" what stays as it is: runs under way. Nothing
/// changes: no line.
std::vector<std::string> plan_lines(const Json& plan);

void print_changes(const Json& plan);
/// With what it is about before, and a count behind.
void print_plan(const Json& plan);

/// The answer to a deployment: what changed, what runs now, and its warnings on stderr.
void print_deployment(const Json& answer);
void tell_warnings(const Json& answer);

}  // namespace aios::app
