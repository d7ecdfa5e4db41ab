// SPDX-License-Identifier: Apache-2.0
// The inbox in the store: how an event is written down, read and listed.
#include "ingress/detail/ingress_impl.h"

#include "core/crypto.h"
#include "core/json_text.h"
#include "core/text.h"
#include "core/time.h"
#include "govern/audit.h"
#include "govern/opening.h"
#include "store/label.h"

#include <fmt/format.h>

namespace aios::ingress {
namespace {

constexpr std::size_t usual_bytes = std::size_t{2} << 10;

/// What the sender is told, kept as the key's value so that a repetition gets the same answer.
std::string answer_text(const Accepted& accepted) {
  return fmt::format("{} {} {}", accepted.id, accepted.status, accepted.run);
}

/// As it was before it was an event, whole.
Json arrived_of(const Delivery& delivery) {
  Json arrived = delivery.arrived;
  auto& defaults = arrived.get_object()["defaults"].get_object();
  if (!delivery.data_member.empty() && !defaults.contains("data")) {
    defaults["data"] = arrived.at("seen").at(delivery.data_member);
  }
  return arrived;
}

/// Written as text at once: no tree is made that would only be printed.
std::string state_text(const Inbox& inbox, Time now, const Json& envelope,
                       const store::AuditLeaf& leaf) {
  const Delivery& delivery = *inbox.delivery;
  const bool dead = inbox.accepted.status == "dead_letter";
  std::string out;
  out.reserve(usual_bytes);
  ObjectText state(&out);
  *state.member("event") += to_text(envelope);
  state.text("status", inbox.accepted.status);
  state.text("run", inbox.accepted.run);
  state.text("reason", inbox.accepted.reason);
  state.text("received", to_rfc3339(now));
  if (!delivery.source.empty()) {
    state.text("via", delivery.source);
  }
  if (delivery.emitted) {
    *state.member("emitted") += "true";
  }
  if (dead && !delivery.arrived.is_null()) {
    *state.member("arrived") += to_text(arrived_of(delivery));
    state.text("digest", to_hex(inbox.digest));
  }
  if (inbox.listened && !dead) {
    *state.member("kept") += "true";  // what became of it the engine knows
  }
  if (inbox.replayed) {
    state.text("replay_of", inbox.replayed->id);
  }
  govern::append_opening(leaf, state.member("opening"));  // to show what the leaf committed to
  state.end();
  return out;
}

/// The event is kept once, as itself: its opening shows it in the words that the leaf commits to.
void show_payload(JsonObject& shown) {
  const Json* event = shown.if_contains("event");
  Json* opening = shown.if_contains("opening");
  if (event == nullptr || opening == nullptr || !opening->is_object()) {
    return;
  }
  Json& contents = opening->get_object()["contents"];
  if (!contents.is_object()) {
    contents = JsonObject();
  }
  contents.get_object()["payload"] = govern::content_of(*event);
}

/// 1011 of a text that ends with "[AIOS-1011]"; 0 of any other.
int page_at_end(std::string_view text) {
  constexpr std::string_view form = "[AIOS-0000]";
  return text.ends_with(']') && text.size() >= form.size()
             ? parse_page(text.substr(text.size() - form.size() + 1, form.size() - 2))
             : 0;
}

/// Names of sources hold no colon, so that no two ways in have one space.
std::string way_in(const Delivery& delivery) {
  if (!delivery.source.empty()) {
    return fmt::format("-by-source:{}:", delivery.source);
  }
  return delivery.emitted ? "-by-run:" : ":";
}

}  // namespace

std::string event_space(const Delivery& delivery) {
  return "event" + way_in(delivery) + delivery.event.source;
}
store::KeyClaim dead_key(const Inbox& inbox) {
  const Delivery& delivery = *inbox.delivery;
  store::KeyClaim claim;
  claim.space = "dead-letter" + way_in(delivery) + delivery.event.source;
  claim.key = delivery.event.id;
  claim.request_digest = inbox.digest;
  if (inbox.conflict) {
    claim.space = "other-content" + way_in(delivery) + delivery.event.source;
    claim.key = to_hex(view(sha256(delivery.event.id + '\0' + inbox.digest)));
  }
  return claim;
}

store::Transition inbox_transition(const Context& ctx, Time now, const Inbox& inbox,
                                   const Json& envelope) {
  const Delivery& delivery = *inbox.delivery;
  const Event& event = delivery.event;
  govern::LeafFacts leaf(govern::LeafKind::event);
  leaf.stream = inbox.accepted.id;
  leaf.outcome = inbox.accepted.status;
  leaf.facts.reserve(3);
  if (inbox.type_known) {
    leaf.facts["type"] = event.type;
  } else {  // like every source a stranger's text, which may name a person
    leaf.contents["type"] = event.type;
  }
  leaf.contents["source"] = event.source;
  leaf.facts["run"] = inbox.accepted.run;
  if (!delivery.source.empty()) {
    leaf.facts["via"] = delivery.source;
  }
  if (inbox.decision) {
    leaf.decisions.push_back(*inbox.decision);
  }
  leaf.payload = govern::content_of(envelope);
  store::AuditLeaf sealed_leaf = govern::make_leaf(ctx, now, leaf);

  store::StreamWrite write;
  write.kind = store::StreamKind::event;
  write.id = inbox.accepted.id;
  write.state = store::Payload{event.subject, state_text(inbox, now, envelope, sealed_leaf)};
  write.status = inbox.accepted.status;
  write.label = store::label_of(event.type);
  write.end = store::StreamEnd::closed;

  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.streams.push_back(std::move(write));
  for (const auto& more : delivery.writes) {
    transition.streams.push_back(more);
  }
  if (inbox.replayed) {
    transition.streams.push_back(replayed_write(*inbox.replayed, inbox.accepted));
  }
  const bool dead = inbox.accepted.status == "dead_letter";
  if (inbox.listened && !dead) {
    const auto beside =
        inbox.accepted.run.empty() ? workflow::KeptBeside::nothing : workflow::KeptBeside::run;
    transition.streams.push_back(workflow::Engine::keep(inbox.accepted.id, envelope, beside, now));
  }
  if (!inbox.replayed || !inbox.replayed->holds_id) {
    store::KeyClaim claim{event_space(delivery), event.id, inbox.digest, ""};
    if (dead) {
      claim = dead_key(inbox);
    }
    claim.value = answer_text(inbox.accepted);
    transition.keys.push_back(std::move(claim));
  }
  transition.leaves.push_back(std::move(sealed_leaf));
  return transition;
}

store::StreamWrite replayed_write(const Replayed& replayed, const Accepted& accepted) {
  JsonObject state = replayed.state;
  state["status"] = "replayed";
  state["replayed_as"] = accepted.id;
  state["run"] = accepted.run;
  store::StreamWrite write;
  write.kind = store::StreamKind::event;
  write.id = replayed.id;
  write.expected_version = replayed.version;
  write.state = store::Payload{replayed.subject, to_text(Json(std::move(state)))};
  write.status = "replayed";
  write.label = replayed.label;
  write.end = store::StreamEnd::closed;
  return write;
}

Task<Result<std::vector<store::StreamRow>>> Ingress::list(Context ctx, Wanted wanted) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.kind = store::StreamKind::event;
  query.status = std::move(wanted.status);
  query.label = wanted.type.empty() ? "" : store::label_of(wanted.type);
  query.after = std::move(wanted.after);
  query.limit = wanted.limit;
  query.with_state = query.status == "dead_letter";  // why it is one
  query.newest_first = true;
  auto rows = co_await impl_->services.store->list(ctx, std::move(query));
  co_return rows;
}

DeadLetter dead_letter_of(const store::StreamRow& row) {
  DeadLetter out;
  const auto state = row.erased ? Error(Code::not_found, "erased") : parse_json(row.state);
  if (state.ok()) {
    out.source = text_or(*state, "via", "");
    out.reason = text_or(*state, "reason", "");
    out.page = page_at_end(out.reason);
  }
  return out;
}

Error not_found_event(Error error, const std::string& id) {
  if (error.code() != Code::not_found) {
    return error;
  }
  return Error(Code::not_found,
               fmt::format("no event '{}'; 'aios events list' shows those there are",
                           excerpt(id, 80)))
      .page(error.page());
}

Task<Result<Json>> Ingress::get(Context ctx, std::string id) {
  auto row = co_await impl_->services.store->stream(ctx, store::StreamKind::event, id);
  if (!row.ok()) {
    co_return not_found_event(std::move(row).error(), id);
  }
  if (row->erased) {
    JsonObject gone;
    gone["id"] = id;
    gone["status"] = row->status;
    gone["erased"] = true;
    co_return Json(std::move(gone));
  }
  auto state = parse_json(row->state);
  if (!state.ok()) {
    co_return std::move(state).error();
  }
  JsonObject out = state->get_object();
  out["id"] = id;
  if (bool_or(*state, "kept", false)) {
    Accepted accepted;
    accepted.id = id;
    accepted.run = text_or(*state, "run", "");
    co_await impl_->tell_fate(ctx, &accepted);
    if (!accepted.delivered.empty()) {
      out["delivered"] = accepted.delivered;
    }
    if (!accepted.reason.empty()) {
      out["reason"] = accepted.reason;
    }
  }
  out["status"] = row->status;
  out.erase("kept");
  out.erase("emitted");
  show_payload(out);
  co_return Json(std::move(out));
}

}  // namespace aios::ingress
