// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/reads: which parts of `input` Rego files can read, found in their text; and the
// part of given facts that this is. Errs on the side of reading more: every use of `input` that is
// not a plain path (`input`, `input[x]`, `walk(input)`) reads all.

#include "core/json.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern::detail {

/// A tree of member names; `whole` reads everything at and below.
struct ReadTree {
  bool whole = false;
  std::map<std::string, ReadTree, std::less<>> members;
  const ReadTree* find(std::string_view member) const;
};

struct Reads {
  ReadTree input;
  bool unstable = false;  ///< clocks, random numbers, the network: decisions must not be kept
};
/// Adds what one file reads.
void add_reads(std::string_view rego_text, Reads& reads);

struct PackageName {
  std::string path;  ///< "aios.connector_egress"; empty when the text has none
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};
PackageName package_of(std::string_view rego_text);

/// Appends an exact image of what `tree` reads of the value: equal images, equal readable facts.
void append_image(const Json& value, const ReadTree& tree, std::string& image);
/// The value without what `tree` does not read.
Json project(const Json& value, const ReadTree& tree);

}  // namespace aios::govern::detail
