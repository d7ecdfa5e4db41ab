// SPDX-License-Identifier: Apache-2.0
// Which definitions there are, which is the newest, and how a run finds the one it started with
// after a restart.
#include "workflow/detail/engine_impl.h"
#include "workflow/detail/loader.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace aios::workflow {
namespace {

using DefinitionPtr = std::shared_ptr<const Definition>;

std::array<std::uint32_t, 3> numbers_of(std::string_view version) {
  std::array<std::uint32_t, 3> out{};
  std::size_t index = 0;
  for (const auto part : split(version.substr(0, version.find_first_of("-+")), '.')) {
    if (index < out.size()) {
      std::from_chars(part.data(), part.data() + part.size(), out[index++]);
    }
  }
  return out;
}

/// Semantic versions: a pre-release comes before its release; two pre-releases compare as texts.
bool older(std::string_view a, std::string_view b) {
  const auto x = numbers_of(a);
  const auto y = numbers_of(b);
  if (x != y) {
    return x < y;
  }
  const auto pre_a = a.find('-') == std::string_view::npos ? "" : a.substr(a.find('-'));
  const auto pre_b = b.find('-') == std::string_view::npos ? "" : b.substr(b.find('-'));
  if (pre_a.empty() || pre_b.empty()) {
    return !pre_a.empty() && pre_b.empty();
  }
  return pre_a < pre_b;
}

/// Of those with that version (any: empty), the newest.
DefinitionPtr pick(const std::vector<DefinitionPtr>& all, std::string_view version) {
  DefinitionPtr best;
  for (const auto& one : all) {
    const bool wanted = version.empty() || one->info.version == version;
    if (wanted && (!best || !older(one->info.version, best->info.version))) {
      best = one;
    }
  }
  return best;
}

/// All of them, or errors.
std::vector<DefinitionPtr> load_all(const std::vector<DefinitionFile>& files,
                                    const FunctionRegistry& functions, std::vector<Error>* errors) {
  std::vector<DefinitionPtr> loaded;
  std::map<std::string, std::string> seen;
  for (const auto& file : files) {
    auto definition = load_definition(file, functions, errors);
    if (!definition) {
      continue;
    }
    const auto name = definition->full_name() + " " + definition->info.version;
    const auto [other, fresh] = seen.emplace(name, file.path);
    if (!fresh) {
      errors->push_back(Error(Code::invalid_argument,
                              fmt::format("workflow {} is also defined in {}", name, other->second))
                            .page(1008)
                            .at(file.path, 1, 1));
    }
    loaded.push_back(std::move(definition));
  }
  return loaded;
}

}  // namespace

std::vector<Error> Engine::check(const std::vector<DefinitionFile>& files,
                                 const FunctionRegistry& functions) {
  std::vector<Error> errors;
  load_all(files, functions, &errors);
  return errors;
}

/// With `definitions_mutex` held. The one in use already, when there is one.
DefinitionPtr Engine::Impl::share(DefinitionPtr definition) {
  auto& slot = known[definition->info.digest];
  if (auto other = slot.lock()) {
    return other;
  }
  slot = definition;
  return definition;
}

std::vector<Error> Engine::install(const TenantId& tenant,
                                   const std::vector<DefinitionFile>& files) {
  auto staged = stage(tenant, files);
  if (staged.errors.empty()) {
    staged.put();
  }
  return std::move(staged.errors);
}

Staged Engine::stage(const TenantId& tenant, const std::vector<DefinitionFile>& files) {
  Staged staged;
  auto loaded = load_all(files, *impl_->registry, &staged.errors);
  if (staged.errors.empty()) {
    staged.put = [impl = impl_.get(), tenant, loaded = std::move(loaded)] {
      impl->put(tenant, loaded);
    };
  }
  return staged;
}

void Engine::Impl::put(const TenantId& tenant, const std::vector<DefinitionPtr>& loaded) {
  std::lock_guard lock(definitions_mutex);
  Installed now;
  std::map<std::string, std::string> still_kept;
  for (const auto& definition : loaded) {
    const auto one = share(definition);
    now.by_name[one->full_name()].push_back(one);
    const auto blob = kept[tenant].find(one->info.digest);
    if (blob != kept[tenant].end()) {
      still_kept.insert(*blob);
    }
  }
  kept[tenant] = std::move(still_kept);
  installed[tenant] = std::move(now);
  std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
}

std::vector<DefinitionInfo> Engine::definitions(const TenantId& tenant) const {
  std::lock_guard lock(impl_->definitions_mutex);
  std::vector<DefinitionInfo> out;
  const auto found = impl_->installed.find(tenant);
  if (found != impl_->installed.end()) {
    for (const auto& [name, versions] : found->second.by_name) {
      for (const auto& one : versions) {
        out.push_back(one->info);
      }
    }
  }
  return out;
}

std::vector<DefinitionInfo> Engine::triggered_by(const TenantId& tenant,
                                                 std::string_view event_type) const {
  std::lock_guard lock(impl_->definitions_mutex);
  std::vector<DefinitionInfo> out;
  const auto found = impl_->installed.find(tenant);
  if (found == impl_->installed.end()) {
    return out;
  }
  for (const auto& [name, versions] : found->second.by_name) {
    const auto newest = pick(versions, "");
    const auto& types = newest->info.trigger_types;
    if (std::find(types.begin(), types.end(), event_type) != types.end()) {
      out.push_back(newest->info);
    }
  }
  return out;
}

bool Engine::Impl::takes(const TenantId& tenant, std::string_view event_type) const {
  std::lock_guard lock(definitions_mutex);
  const auto found = installed.find(tenant);
  if (found == installed.end()) {
    return false;
  }
  const auto& all = found->second.by_name;
  return std::any_of(all.begin(), all.end(), [&](const auto& one) {
    const auto& types = pick(one.second, "")->info.trigger_types;
    return std::find(types.begin(), types.end(), event_type) != types.end();
  });
}

DefinitionPtr Engine::Impl::newest(const TenantId& tenant, const std::string& workflow,
                                   const std::string& version) const {
  std::lock_guard lock(definitions_mutex);
  const auto found = installed.find(tenant);
  if (found == installed.end()) {
    return nullptr;
  }
  for (const auto& [name, versions] : found->second.by_name) {
    if (name == workflow || name.ends_with("/" + workflow)) {
      return pick(versions, version);
    }
  }
  return nullptr;
}

Error Engine::Impl::unknown_workflow(const TenantId& tenant, const std::string& workflow,
                                     const std::string& version) const {
  std::vector<std::string> names;
  {
    std::lock_guard lock(definitions_mutex);
    const auto found = installed.find(tenant);
    if (found != installed.end()) {
      for (const auto& [name, versions] : found->second.by_name) {
        names.push_back(name);
      }
    }
  }
  return Error(Code::not_found, fmt::format("no workflow '{}'{}{}", workflow,
                                            version.empty() ? "" : " of version " + version,
                                            did_you_mean(workflow, names)))
      .page(1010);
}

Task<Result<std::string>> Engine::Impl::keep_text(Context ctx, DefinitionPtr definition) {
  const auto digest = definition->info.digest;
  {
    std::lock_guard lock(definitions_mutex);
    const auto& names = kept[ctx.tenant];
    const auto found = names.find(digest);
    if (found != names.end()) {
      co_return found->second;
    }
  }
  store::Payload text{"", definition->text};
  auto blob = co_await services.store->put_blob(ctx, std::move(text));
  if (blob.ok()) {
    std::lock_guard lock(definitions_mutex);
    kept[ctx.tenant][digest] = *blob;
  }
  co_return blob;
}

Task<Result<DefinitionPtr>> Engine::Impl::by_digest(Context ctx, std::string digest,
                                                    std::string blob) {
  {
    std::lock_guard lock(definitions_mutex);
    const auto found = known.find(digest);
    if (found != known.end()) {
      if (auto definition = found->second.lock()) {
        co_return definition;
      }
    }
  }
  auto text = co_await services.store->blob(ctx, blob);
  if (!text.ok()) {
    co_return std::move(text).error().with("finding the definition a run started with");
  }
  const DefinitionFile file{blob, std::move(*text)};
  std::vector<Error> errors;
  auto definition = load_definition(file, *registry, &errors);
  if (!definition) {
    co_return Error(
        Code::failed_precondition,
        "the definition this run started with is no longer accepted: " + errors.front().text())
        .page(1016);
  }
  std::lock_guard lock(definitions_mutex);
  co_return share(std::move(definition));
}

}  // namespace aios::workflow
