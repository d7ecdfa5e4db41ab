// SPDX-License-Identifier: Apache-2.0
// What is refused at the door. It is kept nowhere, so the leaf says only what it was, who sent it
// and why it was refused; without room in the store it is refused all the same, and the next leaf
// stands for it too.
#include "ingress/detail/ingress_impl.h"

#include "core/text.h"
#include "govern/audit.h"

namespace aios::ingress {
namespace {

constexpr std::size_t refused_source_characters_max = 200;
constexpr std::string_view hooks = "/hooks/";

}  // namespace

Task<void> Ingress::Impl::record_refusal(Context ctx, Refused refused) {
  runtime::Executor* executor = runtime::Executor::current();
  turned_away.add(ctx.tenant, refused.by, refused.why.empty() ? "policy" : refused.why,
                  executor->clock().now());
  const std::string source(excerpt(refused.source, refused_source_characters_max));
  const auto told = refusals.add(ctx.tenant, source, executor->clock().instant());
  if (told.count == 0) {
    co_return;
  }
  govern::LeafFacts leaf(govern::LeafKind::event);
  leaf.outcome = "refused";
  if (!refused.type.empty()) {
    leaf.facts["type"] = refused.type;
  }
  if (!refused.why.empty()) {
    leaf.facts["why"] = refused.why;
  }
  if (told.count > 1) {
    leaf.facts["count"] = told.count;
  }
  if (told.shared) {
    leaf.facts["sources"] = "many";
  }
  if (refused.decision) {
    leaf.decisions.push_back(*std::move(refused.decision));
  }
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = services.store->epoch();
  transition.leaves.push_back(govern::make_leaf(ctx, executor->clock().now(), leaf));
  auto committed = co_await services.store->commit(ctx, std::move(transition));
  if (!committed.ok()) {
    refusals.put_back(ctx.tenant, source, told.count);
  }
}

Task<void> Ingress::turn_away(Context ctx, std::string source, std::string why) {
  impl_->count("refused").add();
  Refused refused;
  refused.by = source.starts_with(hooks) ? source.substr(hooks.size()) : "";
  refused.source = std::move(source);
  refused.why = std::move(why);
  co_await impl_->record_refusal(std::move(ctx), std::move(refused));
}

std::optional<Error> Ingress::take_share(const TenantId& tenant, std::size_t bytes) {
  return impl_->room.above_share(tenant, bytes);
}

void Ingress::count_refused_file(const Context& ctx, const std::string& source) {
  impl_->turned_away.add(ctx.tenant, source, "file", runtime::Executor::current()->clock().now());
}

std::vector<TurnedAway::Row> Ingress::turned_away_after(Time since) const {
  return impl_->turned_away.after(since);
}

}  // namespace aios::ingress
