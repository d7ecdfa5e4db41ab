// SPDX-License-Identifier: Apache-2.0
// document.metadata.aios: what is this program's own in a document. Here: search attributes.
#include "workflow/detail/loader.h"

#include "core/text.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

constexpr int page_declared = 1075;
constexpr std::string_view place = "/document/metadata";

}  // namespace

void Loader::load_attributes(const Json& head) {
  const auto* metadata = member(head, "/document", "metadata", "object", false);
  const auto* own = metadata == nullptr
                        ? nullptr
                        : member(*metadata, std::string(place), "aios", "object", false);
  if (own == nullptr) {
    return;
  }
  const auto at = fmt::format("{}/aios", place);
  only(*own, at, {"searchAttributes"});
  const auto* declared = member(*own, at, "searchAttributes", "object", false);
  if (declared == nullptr) {
    return;
  }
  const auto pointer = at + "/searchAttributes";
  const auto count = declared->get_object().size();
  if (count > attributes_max) {
    fail(pointer,
         fmt::format("found {} search attributes, at most {} are kept", count, attributes_max),
         page_declared);
    return;
  }
  for (const auto& one : declared->get_object()) {
    std::string below = pointer;
    expr::append_pointer(below, one.key());
    load_attribute(std::string(one.key()), one.value(), below);
  }
}

/// '${ ... }' alone is a text; else {type, value}.
void Loader::load_attribute(const std::string& name, const Json& value,
                            const std::string& pointer) {
  if (!is_attribute_name(name)) {
    fail(pointer,
         fmt::format("found the search attribute '{}', wanted a letter and at most {} letters, "
                     "digits, '_' or '-' more",
                     excerpt(name, 60), attribute_name_bytes_max - 1),
         page_declared);
    return;
  }
  LoadedAttribute out;
  out.info.name = name;
  const Json* given = &value;
  auto at = pointer;
  if (value.is_object()) {
    only(value, pointer, {"type", "value"});
    const auto* type = member(value, pointer, "type", "string", false);
    const auto word = type == nullptr ? std::string_view("text") : view(type->get_string());
    const auto known = attribute_type_of(word);
    if (!known) {
      fail(pointer + "/type",
           fmt::format("found the type '{}', wanted text, number, boolean or time",
                       excerpt(word, 40)),
           page_declared);
      return;
    }
    out.info.type = *known;
    given = member(value, pointer, "value", "string", true);
    at += "/value";
  }
  if (given == nullptr) {
    return;
  }
  if (!given->is_string()) {
    fail(at, fmt::format("found {}, wanted an expression or {{type, value}}", type_name(*given)),
         page_declared);
    return;
  }
  out.value = compile(*given, at, BareText::literal, {"context", "output", "workflow"});
  definition_->info.attributes.push_back(out.info);
  definition_->attributes.push_back(std::move(out));
}

}  // namespace aios::workflow
