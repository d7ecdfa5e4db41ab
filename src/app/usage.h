// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/usage: what is said of arguments that cannot be taken: each with the number of its page, and
// the right name where one is near.

#include <string>

namespace CLI {
class App;
class Error;
}  // namespace CLI

namespace aios::app {

/// Whether a word that is none of its verbs stands in the place of one.
bool has_unknown_verb(const CLI::App& app);

/// "aios: ... [AIOS-1468]" and where to find help, a line each.
std::string usage_message(const CLI::App* app, const CLI::Error& problem);

}  // namespace aios::app
