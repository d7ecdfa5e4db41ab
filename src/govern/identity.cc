// SPDX-License-Identifier: Apache-2.0
#include "govern/identity.h"

#include "core/crypto.h"
#include "core/json.h"
#include "core/text.h"
#include "govern/audit.h"
#include "govern/detail/key_terms.h"
#include "govern/detail/roles.h"
#include "govern/holder.h"
#include "runtime/rate.h"
#include "store/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>

namespace aios::govern {
namespace {

constexpr std::string_view secret_start = "aios_";
constexpr std::size_t name_bytes_max = 100;
constexpr std::size_t keys_per_tenant_max = 10'000;
constexpr std::uint32_t keys_per_page = 1000;
// Seals keys apart from the week's data, so that an expired week does not take them along.
constexpr std::string_view keys_subject = "aios:keys";
static_assert(store::is_reserved_subject(keys_subject));
constexpr std::uint16_t created_event = 1;
constexpr std::uint16_t revoked_event = 2;

struct Key {
  KeyInfo info;
  std::string digest;  // SHA-256 of the secret
};

std::string state_of(const Key& key) {
  JsonObject state{{"name", key.info.name},
                   {"roles", JsonArray(key.info.roles.begin(), key.info.roles.end())},
                   {"created", key.info.created.ns},
                   {"revoked", key.info.revoked},
                   {"sha256", to_hex(key.digest)}};
  detail::put_terms(key.info, &state);
  return to_text(Json(std::move(state)));
}

Result<Key> parse_state(const TenantId& tenant, const store::StreamRow& row) {
  auto state = parse_json(row.state);
  auto digest = from_hex(state.ok() ? text_or(*state, "sha256", "") : "");
  const Json* roles = state.ok() ? find(*state, "roles") : nullptr;
  if (roles == nullptr || !roles->is_array() || !digest.ok() || digest->size() != 32) {
    return Error(Code::data_loss, fmt::format("the record of key '{}' cannot be read", row.id))
        .page(514);
  }
  Key key;
  key.digest = std::move(*digest);
  key.info = {row.id, std::string(text_or(*state, "name", "")), tenant,
              {},     {int_or(*state, "created", 0)},           bool_or(*state, "revoked", true)};
  detail::take_terms(*state, &key.info);
  for (const Json& role : roles->get_array()) {
    if (role.is_string()) {
      key.info.roles.emplace_back(view(role.get_string()));
    }
  }
  return key;
}

Result<void> check(const std::string& name, const std::vector<std::string>& roles) {
  const auto refuse = [](std::string why) {
    return Error(Code::invalid_argument, std::move(why)).page(512);
  };
  if (trim(name).empty() || name.size() > name_bytes_max || !is_utf8(name)) {
    return refuse(
        fmt::format("a key's name has 1 to {} bytes, found {}", name_bytes_max, name.size()));
  }
  if (!is_readable_name(name)) {
    return refuse(
        "a key's name has no line ends, controls, or signs that nobody sees, found one of them");
  }
  if (roles.empty()) {
    return refuse("a key needs at least one role");
  }
  for (const std::string& role : roles) {
    if (!detail::is_role(role)) {
      const std::vector<std::string> known(detail::role_names.begin(), detail::role_names.end());
      return refuse(
          fmt::format("unknown role '{}', wanted one of {}", excerpt(role, 40), join(known, ", ")));
    }
  }
  return {};
}

store::Transition transition_of(const Context& ctx, const Key& key, std::uint64_t version,
                                Time now) {
  const std::string state = state_of(key);
  store::StreamWrite write;
  write.kind = store::StreamKind::api_key;
  write.id = key.info.id;
  write.expected_version = version;
  write.history = {
      {key.info.revoked ? revoked_event : created_event, now, {std::string(keys_subject), state}}};
  write.state = store::Payload{std::string(keys_subject), state};
  write.status = key.info.revoked ? "revoked" : "active";
  LeafFacts leaf(LeafKind::key);
  leaf.stream = key.info.id;
  leaf.outcome = key.info.revoked ? "revoked" : "created";
  leaf.facts["roles"] = JsonArray(key.info.roles.begin(), key.info.roles.end());
  if (key.info.expires) {
    leaf.facts["expires"] = to_rfc3339(*key.info.expires);
  }
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.streams.push_back(std::move(write));
  transition.leaves.push_back(make_leaf(ctx, now, leaf));
  return transition;
}

bool is_admin(const KeyInfo& key) {
  return std::find(key.roles.begin(), key.roles.end(), "admin") != key.roles.end();
}

}  // namespace

struct Identity::Impl {
  Impl(store::Store& the_store, runtime::Clock& the_clock) : store(the_store), clock(the_clock) {}

  store::Store& store;
  runtime::Clock& clock;
  mutable std::shared_mutex mutex;
  std::map<std::pair<TenantId, std::string>, Key> keys;  // by tenant and id
  struct Holder {
    TenantId tenant;
    std::shared_ptr<const Principal> principal;
    std::optional<Time> expires;
    std::shared_ptr<runtime::Rate> rate;  // null: none
    std::uint32_t per_minute_max = 0;
  };
  std::map<std::string, Holder, std::less<>> active;  // by digest
  std::multiset<std::pair<TenantId, std::string>> revoking;

  void put(Key key) {
    const std::unique_lock lock(mutex);
    if (key.info.revoked) {
      active.erase(key.digest);
    } else {
      Principal principal{key.info.id, "key", key.info.roles};
      Holder holder{key.info.tenant, std::make_shared<const Principal>(std::move(principal)),
                    key.info.expires, nullptr, key.info.per_minute_max};
      if (holder.per_minute_max > 0) {
        holder.rate = std::make_shared<runtime::Rate>(holder.per_minute_max);
      }
      active[key.digest] = std::move(holder);
    }
    keys[{key.info.tenant, key.info.id}] = std::move(key);
  }

  /// Of a secret that opens something now.
  Result<Holder> find(std::string_view secret) const {
    const Digest digest = sha256(secret);
    const std::shared_lock lock(mutex);
    const auto at = active.find(view(digest));
    if (at == active.end()) {
      return Error(Code::unauthenticated, "the key is unknown or was revoked").page(510);
    }
    if (at->second.expires && clock.now() >= *at->second.expires) {
      return detail::expired(*at->second.expires);
    }
    return at->second;
  }

  /// Counts the key as gone while its revocation is under way: of two admins who revoke each other
  /// at once, one stays.
  class Revoking {
   public:
    Revoking(Impl& impl, std::pair<TenantId, std::string> key)
        : impl_(&impl),
          key_(std::move(key)) {}
    Revoking(Revoking&& other) noexcept
        : impl_(std::exchange(other.impl_, nullptr)),
          key_(std::move(other.key_)) {}
    Revoking& operator=(Revoking&&) = delete;
    ~Revoking() {
      if (impl_ != nullptr) {
        const std::unique_lock lock(impl_->mutex);
        impl_->revoking.erase(impl_->revoking.find(key_));
      }
    }

   private:
    Impl* impl_;
    std::pair<TenantId, std::string> key_;
  };

  Result<Revoking> begin_revoking(const KeyInfo& wanted) {
    const std::unique_lock lock(mutex);
    bool another = !is_admin(wanted) || wanted.expires;  // that one is none to rely on
    for (auto at = keys.lower_bound({wanted.tenant, ""});
         !another && at != keys.end() && at->first.first == wanted.tenant; ++at) {
      const KeyInfo& info = at->second.info;
      another = info.id != wanted.id && is_admin(info) && !info.revoked && !info.expires &&
                !revoking.contains(at->first);
    }
    if (!another) {
      return Error(Code::failed_precondition,
                   fmt::format("'{}' is the last valid key of an admin that does not expire: make "
                               "another first",
                               wanted.id))
          .page(515);
    }
    return Revoking(*this, *revoking.emplace(wanted.tenant, wanted.id));
  }

  Task<Result<void>> load_tenant(Context ctx) {
    store::ListQuery query;
    query.tenant = ctx.tenant;
    query.kind = store::StreamKind::api_key;
    query.limit = keys_per_page;
    for (;;) {
      auto rows = co_await store.list(ctx, query);
      if (!rows.ok()) {
        co_return std::move(rows).error();
      }
      for (const store::StreamRow& row : *rows) {
        auto key = parse_state(ctx.tenant, row);
        if (!key.ok()) {
          co_return std::move(key).error();
        }
        put(std::move(*key));
      }
      if (rows->size() < keys_per_page) {
        co_return Result<void>();
      }
      query.after = rows->back().id;
    }
  }
};

Identity::Identity(store::Store& store, runtime::Clock& clock)
    : impl_(std::make_unique<Impl>(store, clock)) {}
Identity::~Identity() = default;

// Every key was made with a leaf, so every tenant that has keys has leaves.
Task<Result<void>> Identity::load(Context ctx) {
  auto tenants = co_await impl_->store.tenants_with_leaves(ctx);
  if (!tenants.ok()) {
    co_return std::move(tenants).error();
  }
  for (const TenantId& tenant : *tenants) {
    Context inside = ctx;
    inside.tenant = tenant;
    auto loaded = co_await impl_->load_tenant(inside);
    if (!loaded.ok()) {
      co_return std::move(loaded).error().with("loading the keys");
    }
  }
  co_return Result<void>();
}

std::string Identity::new_secret() {
  return std::string(secret_start) + to_base64url(secure_random(32));
}

Task<Result<Identity::NewKey>> Identity::create(Context ctx, std::string name,
                                                std::vector<std::string> roles) {
  return make(std::move(ctx), std::move(name), std::move(roles), new_secret(), KeyTerms());
}

Task<Result<Identity::NewKey>> Identity::create_on(Context ctx, std::string name,
                                                   std::vector<std::string> roles, KeyTerms terms) {
  return make(std::move(ctx), std::move(name), std::move(roles), new_secret(), terms);
}

Task<Result<Identity::NewKey>> Identity::create_with(Context ctx, std::string name,
                                                     std::vector<std::string> roles,
                                                     std::string secret) {
  return make(std::move(ctx), std::move(name), std::move(roles), std::move(secret), KeyTerms());
}

Task<Result<Identity::NewKey>> Identity::make(Context ctx, std::string name,
                                              std::vector<std::string> roles, std::string secret,
                                              KeyTerms terms) {
  auto checked = check(name, roles);
  if (checked.ok()) {
    checked = detail::check(terms, impl_->clock.now());
  }
  if (!checked.ok()) {
    co_return std::move(checked).error();
  }
  if (list(ctx.tenant).size() >= keys_per_tenant_max) {
    const std::string what =
        fmt::format("the tenant has {} keys, the most there can be", keys_per_tenant_max);
    co_return Error(Code::resource_exhausted, what).page(512);
  }
  std::sort(roles.begin(), roles.end());
  roles.erase(std::unique(roles.begin(), roles.end()), roles.end());
  runtime::Executor* executor = runtime::Executor::current();
  runtime::Random& random = executor != nullptr ? executor->random() : runtime::system_random();
  NewKey made;
  made.secret = std::move(secret);
  const Time now = impl_->clock.now();
  made.info = {runtime::new_id("key", impl_->clock, random),
               std::move(name),
               ctx.tenant,
               std::move(roles),
               now,
               false,
               terms.expires,
               terms.per_minute_max};
  Key key{made.info, std::string(view(sha256(made.secret)))};
  store::Transition transition = transition_of(ctx, key, 0, now);
  transition.epoch = impl_->store.epoch();
  auto committed = co_await impl_->store.commit(ctx, std::move(transition));
  if (!committed.ok()) {
    co_return std::move(committed).error().with("making a key");
  }
  impl_->put(std::move(key));
  co_return made;
}

Task<Result<void>> Identity::revoke(Context ctx, std::string key_id) {
  auto row = co_await impl_->store.stream(ctx, store::StreamKind::api_key, key_id);
  if (!row.ok()) {
    if (row.error().code() == Code::not_found) {
      const std::string what = fmt::format(
          "no key '{}' in this tenant; 'aios key list' shows those there are", excerpt(key_id, 60));
      co_return Error(Code::not_found, what).page(513);
    }
    co_return std::move(row).error();
  }
  auto key = parse_state(ctx.tenant, *row);
  if (!key.ok()) {
    co_return std::move(key).error();
  }
  if (key->info.revoked) {
    co_return Result<void>();
  }
  auto admitted = impl_->begin_revoking(key->info);
  if (!admitted.ok()) {
    co_return std::move(admitted).error();
  }
  const Impl::Revoking revoking = std::move(*admitted);
  key->info.revoked = true;
  store::Transition transition = transition_of(ctx, *key, row->version, impl_->clock.now());
  transition.epoch = impl_->store.epoch();
  auto committed = co_await impl_->store.commit(ctx, std::move(transition));
  if (!committed.ok()) {
    co_return std::move(committed).error().with("revoking a key");
  }
  impl_->put(std::move(*key));
  co_return Result<void>();
}

std::vector<KeyInfo> Identity::list(const TenantId& tenant) const {
  std::vector<KeyInfo> found;
  const std::shared_lock lock(impl_->mutex);
  for (auto at = impl_->keys.lower_bound({tenant, ""});
       at != impl_->keys.end() && at->first.first == tenant; ++at) {
    found.push_back(at->second.info);
  }
  return found;
}

std::size_t Identity::count() const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->active.size();
}

Result<Identity::Caller> Identity::authenticate(std::string_view secret) const {
  auto holder = impl_->find(secret);
  if (!holder.ok()) {
    return std::move(holder).error();
  }
  return Caller(std::move(holder->tenant), std::move(holder->principal));
}

Result<Identity::Caller> Identity::admit(std::string_view secret) const {
  auto holder = impl_->find(secret);
  if (!holder.ok()) {
    return std::move(holder).error();
  }
  if (holder->rate) {
    const Duration pause = holder->rate->take(impl_->clock.instant());
    if (pause > Duration(0)) {
      return Error(Code::rate_limited,
                   fmt::format("key '{}' may ask {} times a minute, which is used up",
                               holder->principal->id, holder->per_minute_max),
                   Retry::same_call)
          .page(564)
          .after(pause);
    }
  }
  return Caller(std::move(holder->tenant), std::move(holder->principal));
}

}  // namespace aios::govern
