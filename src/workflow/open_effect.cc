// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/open_effect.h"

#include "core/crypto.h"
#include "core/text.h"
#include "workflow/detail/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace aios::workflow {
namespace {

constexpr std::size_t shed_max = 2'000;

/// Another turn of a loop at the same step is another call, unless it is made with the same.
std::string name_of(const EffectState& effect) {
  const auto call = to_hex(view(sha256(effect.function, to_text(effect.arguments))));
  return fmt::format("{} {}", effect.step, call);
}

bool is_in(std::string_view step, std::string_view list) {
  return step.size() > list.size() && step.starts_with(list) && step[list.size()] == '/';
}

JsonObject to_json(const OpenEffect& one) {
  JsonObject out{
      {"id", one.id}, {"origin", one.origin}, {"function", one.function}, {"step", one.step}};
  if (!one.arguments.is_null()) {
    out["arguments"] = one.arguments;
  }
  if (one.given_up) {
    out["given_up"] = true;
  }
  if (one.result) {
    out["result"] = *one.result;
  }
  return out;
}

OpenEffect open_effect_of(std::string_view name, const Json& saved) {
  OpenEffect out;
  out.name = name;
  out.id = saved.is_string() ? view(saved.get_string()) : text_or(saved, "id", "");
  out.step = text_or(saved, "step", name.substr(0, name.find(' ')));
  out.function = text_or(saved, "function", "");
  out.origin = text_or(saved, "origin", "");
  if (const auto* arguments = find(saved, "arguments"); arguments != nullptr) {
    out.arguments = *arguments;
  }
  out.given_up = bool_or(saved, "given_up", false);
  if (const auto* result = find(saved, "result"); result != nullptr) {
    out.result = *result;
  }
  return out;
}

}  // namespace

OpenEffect* OpenEffects::find_id(std::string_view id) {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [&](const OpenEffect& one) { return one.id == id; });
  return found == all_.end() ? nullptr : &*found;
}

void OpenEffects::keep(const EffectState& effect) {
  OpenEffect* one = find_id(effect.id);
  if (one == nullptr) {
    all_.emplace_back();
    one = &all_.back();
    one->name = name_of(effect);
    one->id = effect.id;
    one->step = effect.step;
    one->function = effect.function;
    one->arguments = effect.arguments;
  }
  one->origin = effect.origin;
  one->given_up = effect.given_up;
  one->result.reset();
}

std::optional<OpenEffect> OpenEffects::take(const EffectState& call) {
  if (all_.empty()) {
    return {};
  }
  const auto name = name_of(call);
  const auto is = [this](std::string_view wanted) {
    return std::find_if(all_.begin(), all_.end(),
                        [&](const OpenEffect& one) { return one.name == wanted; });
  };
  auto found = is(name);
  if (found == all_.end()) {
    found = is(call.step);  // of an older program
  }
  if (found == all_.end()) {
    return {};
  }
  auto out = std::move(*found);
  all_.erase(found);
  return out;
}

const OpenEffect* OpenEffects::unasked() const {
  const auto found = std::find_if(
      all_.begin(), all_.end(), [](const OpenEffect& one) { return !one.given_up && !one.result; });
  return found == all_.end() ? nullptr : &*found;
}

std::vector<OpenEffect> OpenEffects::unknown() const {
  std::vector<OpenEffect> out;
  std::copy_if(all_.begin(), all_.end(), std::back_inserter(out),
               [](const OpenEffect& one) { return !one.result; });
  return out;
}

void OpenEffects::give_up(std::string_view id) {
  if (auto* one = find_id(id); one != nullptr) {
    one->given_up = true;
  }
}

void OpenEffects::happened(std::string_view id, Json result) {
  if (auto* one = find_id(id); one != nullptr) {
    one->result = std::move(result);
  }
}

void OpenEffects::never_happened(std::string_view id) {
  std::erase_if(all_, [&](const OpenEffect& one) { return one.id == id; });
}

void OpenEffects::take_over(const OpenEffects& branch, std::string_view list) {
  std::erase_if(all_, [&](const OpenEffect& one) { return is_in(one.step, list); });
  std::copy_if(branch.all_.begin(), branch.all_.end(), std::back_inserter(all_),
               [&](const OpenEffect& one) { return is_in(one.step, list); });
}

void OpenEffects::shed(std::size_t bytes_max) {
  if (to_text(to_json()).size() <= bytes_max) {
    return;
  }
  for (auto& one : all_) {
    one.arguments = nullptr;
  }
  if (to_text(to_json()).size() > bytes_max) {
    std::erase_if(all_, [](const OpenEffect& one) { return one.result.has_value(); });
  }
  if (all_.size() > shed_max) {
    all_.resize(shed_max);
  }
}

JsonObject OpenEffects::to_json() const {
  JsonObject out;
  for (const auto& one : all_) {
    out[one.name] = workflow::to_json(one);
  }
  return out;
}

OpenEffects OpenEffects::from_json(const JsonObject& saved) {
  OpenEffects out;
  for (const auto& member : saved) {
    out.all_.push_back(open_effect_of(member.key(), member.value()));
  }
  return out;
}

}  // namespace aios::workflow
