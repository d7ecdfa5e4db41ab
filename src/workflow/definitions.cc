// SPDX-License-Identifier: Apache-2.0
// Which definitions there are, which is the newest, and how a run finds the one it started with
// after a restart.
#include "workflow/detail/definitions.h"

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

/// Of a `run` of a workflow that none of the documents is: the bundle is all there is.
void check_runs(const Definition& definition, const std::string& path,
                const std::vector<DefinitionPtr>& all, std::vector<Error>* errors) {
  for (const auto& run : definition.runs) {
    std::vector<std::string> names;
    bool found = false;
    for (const auto& one : all) {
      const auto& version = one->info.version;
      names.push_back(one->full_name());
      found = found ||
              (names.back() == run.workflow && (run.version.empty() || run.version == version));
    }
    if (!found) {
      errors->push_back(
          Error(Code::invalid_argument,
                fmt::format("found a run of '{}'{}, which is not among the workflows here{}",
                            run.workflow, run.version.empty() ? "" : " of version " + run.version,
                            did_you_mean(run.workflow, names)))
              .page(1004)
              .at(path, run.line, run.column));
    }
  }
}

}  // namespace

std::vector<DefinitionPtr> load_all(const std::vector<DefinitionFile>& files,
                                    const FunctionRegistry& functions, std::vector<Error>* errors) {
  std::vector<DefinitionPtr> loaded;
  std::map<std::string, std::string> seen;
  std::vector<std::string> paths;
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
    paths.push_back(file.path);
  }
  for (std::size_t i = 0; i < loaded.size() && errors->empty(); ++i) {
    check_runs(*loaded[i], paths[i], loaded, errors);
  }
  return loaded;
}

Definitions::Definitions(store::Store& store, const FunctionRegistry& functions)
    : store_(store),
      functions_(functions) {}

std::vector<Error> Engine::check(const std::vector<DefinitionFile>& files,
                                 const FunctionRegistry& functions) {
  std::vector<Error> errors;
  load_all(files, functions, &errors);
  return errors;
}

/// With `mutex_` held. The one in use already, when there is one.
DefinitionPtr Definitions::share(DefinitionPtr definition) {
  auto& slot = known_[definition->info.digest];
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
      impl->definitions.put(tenant, loaded);
      for (const auto& definition : loaded) {
        impl->metrics.know_workflow(definition->full_name());
      }
    };
  }
  return staged;
}

void Definitions::put(const TenantId& tenant, const std::vector<DefinitionPtr>& loaded) {
  std::lock_guard lock(mutex_);
  ByName now;
  std::map<std::string, std::string> still_kept;
  for (const auto& definition : loaded) {
    const auto one = share(definition);
    now[one->full_name()].push_back(one);
    const auto blob = kept_[tenant].find(one->info.digest);
    if (blob != kept_[tenant].end()) {
      still_kept.insert(*blob);
    }
  }
  kept_[tenant] = std::move(still_kept);
  installed_[tenant] = std::move(now);
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
}

std::vector<DefinitionInfo> Engine::definitions(const TenantId& tenant) const {
  return impl_->definitions.all(tenant);
}

std::vector<DefinitionInfo> Engine::triggered_by(const TenantId& tenant,
                                                 std::string_view event_type) const {
  return impl_->definitions.triggered_by(tenant, event_type);
}

std::vector<DefinitionInfo> Definitions::all(const TenantId& tenant) const {
  std::lock_guard lock(mutex_);
  std::vector<DefinitionInfo> out;
  const auto found = installed_.find(tenant);
  if (found != installed_.end()) {
    for (const auto& [name, versions] : found->second) {
      for (const auto& one : versions) {
        out.push_back(one->info);
      }
    }
  }
  return out;
}

std::vector<DefinitionInfo> Definitions::triggered_by(const TenantId& tenant,
                                                      std::string_view event_type) const {
  std::lock_guard lock(mutex_);
  std::vector<DefinitionInfo> out;
  const auto found = installed_.find(tenant);
  if (found == installed_.end()) {
    return out;
  }
  for (const auto& [name, versions] : found->second) {
    const auto newest = pick(versions, "");
    const auto& types = newest->info.trigger_types;
    if (std::find(types.begin(), types.end(), event_type) != types.end()) {
      out.push_back(newest->info);
    }
  }
  return out;
}

bool Definitions::listened(const TenantId& tenant, std::string_view event_type) const {
  std::lock_guard lock(mutex_);
  const auto found = installed_.find(tenant);
  if (found == installed_.end()) {
    return false;
  }
  for (const auto& [name, versions] : found->second) {
    for (const auto& one : versions) {
      const auto& types = one->info.listen_types;
      if (std::find(types.begin(), types.end(), event_type) != types.end()) {
        return true;
      }
    }
  }
  return false;
}

DefinitionPtr Definitions::newest(const TenantId& tenant, const std::string& workflow,
                                  const std::string& version) const {
  std::lock_guard lock(mutex_);
  const auto found = installed_.find(tenant);
  if (found == installed_.end()) {
    return nullptr;
  }
  for (const auto& [name, versions] : found->second) {
    if (name == workflow || name.ends_with("/" + workflow)) {
      return pick(versions, version);
    }
  }
  return nullptr;
}

Error Definitions::unknown(const TenantId& tenant, const std::string& workflow,
                           const std::string& version) const {
  std::vector<std::string> names;
  {
    std::lock_guard lock(mutex_);
    const auto found = installed_.find(tenant);
    if (found != installed_.end()) {
      for (const auto& [name, versions] : found->second) {
        names.push_back(name);
      }
    }
  }
  return Error(Code::not_found, fmt::format("no workflow '{}'{}{}", workflow,
                                            version.empty() ? "" : " of version " + version,
                                            did_you_mean(workflow, names)))
      .page(1010);
}

Task<Result<std::string>> Definitions::keep_text(Context ctx, DefinitionPtr definition) {
  const auto digest = definition->info.digest;
  {
    std::lock_guard lock(mutex_);
    const auto& names = kept_[ctx.tenant];
    const auto found = names.find(digest);
    if (found != names.end()) {
      co_return found->second;
    }
  }
  store::Payload text{"", definition->text};
  auto blob = co_await store_.put_blob(ctx, std::move(text));
  if (blob.ok()) {
    std::lock_guard lock(mutex_);
    kept_[ctx.tenant][digest] = *blob;
  }
  co_return blob;
}

Task<Result<DefinitionPtr>> Definitions::by_digest(Context ctx, std::string digest,
                                                   std::string blob) {
  {
    std::lock_guard lock(mutex_);
    const auto found = known_.find(digest);
    if (found != known_.end()) {
      if (auto definition = found->second.lock()) {
        co_return definition;
      }
    }
  }
  auto text = co_await store_.blob(ctx, blob);
  if (!text.ok()) {
    co_return std::move(text).error().with("finding the definition a run started with");
  }
  const DefinitionFile file{blob, std::move(*text)};
  std::vector<Error> errors;
  auto definition = load_definition(file, functions_, &errors);
  if (!definition) {
    co_return Error(
        Code::failed_precondition,
        "the definition this run started with is no longer accepted: " + errors.front().text())
        .page(1016);
  }
  std::lock_guard lock(mutex_);
  co_return share(std::move(definition));
}

}  // namespace aios::workflow
