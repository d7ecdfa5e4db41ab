// SPDX-License-Identifier: Apache-2.0
#include "api/detail/operation.h"

#include "core/text.h"
#include "govern/audit.h"
#include "govern/tlog.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

Time now() { return runtime::Executor::current()->clock().now(); }

Json key_json(const govern::KeyInfo& key) {
  JsonArray roles;
  for (const auto& role : key.roles) {
    roles.emplace_back(role);
  }
  JsonObject out{{"id", key.id},
                 {"name", key.name},
                 {"tenant", key.tenant.text()},
                 {"roles", std::move(roles)},
                 {"created", to_rfc3339(key.created)},
                 {"revoked", key.revoked}};
  if (key.expires) {
    out["expires"] = to_rfc3339(*key.expires);
    out["expired"] = now() >= *key.expires;
  }
  if (key.per_minute_max > 0) {
    out["per_minute"] = key.per_minute_max;
  }
  return out;
}

/// "P90D" from now, or a time.
Result<Time> end_of(std::string_view text) {
  const auto span = parse_iso_duration(text);
  if (span.ok()) {
    return now() + *span;
  }
  const auto time = parse_rfc3339(text);
  if (!time.ok()) {
    return Error(Code::invalid_argument,
                 fmt::format("'expires' is '{}', wanted a duration such as P90D or a time such as "
                             "2027-01-31T00:00:00Z",
                             excerpt(text, 60)))
        .page(565);
  }
  return *time;
}

Result<govern::KeyTerms> terms_of(const JsonObject& body) {
  govern::KeyTerms terms;
  if (body.if_contains("expires") != nullptr) {
    auto text = text_member(body, "expires");
    auto end = text.ok() ? end_of(*text) : Result<Time>(std::move(text).error());
    if (!end.ok()) {
      return std::move(end).error();
    }
    terms.expires = *end;
  }
  if (const Json* rate = body.if_contains("per_minute"); rate != nullptr) {
    const std::int64_t number = rate->is_int64() ? rate->get_int64() : 0;
    if (number < 1 || number > govern::per_minute_most) {
      return Error(Code::invalid_argument,
                   fmt::format("'per_minute' is {}, wanted a whole number from 1 to {}",
                               excerpt(to_text(*rate), 40), govern::per_minute_most))
          .page(565);
    }
    terms.per_minute_max = static_cast<std::uint32_t>(number);
  }
  return terms;
}

constexpr std::array<std::string_view, 4> key_members = {"name", "roles", "expires", "per_minute"};

Task<Answer> list_keys(const ApiServices& services, Context ctx, net::Request) {
  JsonArray items;
  for (const auto& key : services.identity->list(ctx.tenant)) {
    items.push_back(key_json(key));
  }
  co_return net::json_response(200, JsonObject{{"items", std::move(items)}});
}

Task<Answer> create_key(const ApiServices& services, Context ctx, net::Request request) {
  auto asked = body_with_text(request, "name");
  if (!asked.ok()) {
    co_return std::move(asked).error();
  }
  for (const auto& member : asked->body) {
    if (std::find(key_members.begin(), key_members.end(), std::string_view(member.key())) ==
        key_members.end()) {  // a tenant, say: keys are of one's own
      co_return Error(Code::invalid_argument,
                      fmt::format("there is no member '{}', wanted 'name' and 'roles', and if you "
                                  "like 'expires' and 'per_minute'",
                                  excerpt(std::string(member.key()), 40)))
          .page(1301);
    }
  }
  auto terms = terms_of(asked->body);
  if (!terms.ok()) {
    co_return std::move(terms).error();
  }
  std::vector<std::string> roles;
  const Json* given = asked->body.if_contains("roles");
  if (given == nullptr || !given->is_array() || given->get_array().empty()) {
    co_return Error(Code::invalid_argument, "member 'roles' is not a list with at least one role")
        .page(1301);
  }
  for (const Json& role : given->get_array()) {
    if (!role.is_string()) {
      co_return Error(Code::invalid_argument, "member 'roles' holds something that is not text")
          .page(1301);
    }
    roles.emplace_back(view(role.get_string()));
  }
  auto made = co_await services.identity->create_on(ctx, std::move(asked->text), std::move(roles),
                                                    std::move(*terms));
  if (!made.ok()) {
    co_return std::move(made).error();
  }
  Json out = key_json(made->info);
  out.get_object()["secret"] = made->secret;
  co_return net::json_response(201, out);
}

Task<Answer> revoke_key(const ApiServices& services, Context ctx, net::Request request) {
  std::string id(request.path_value("id"));
  auto done = co_await services.identity->revoke(ctx, id);
  if (!done.ok()) {
    co_return std::move(done).error();
  }
  JsonObject answer{{"id", id}, {"revoked", true}};
  if (services.forget_key_file) {
    const std::string gone = co_await services.forget_key_file(ctx);
    if (!gone.empty()) {
      answer["removed_file"] = gone;
    }
  }
  co_return net::json_response(200, std::move(answer));
}

Task<Answer> audit_state(const ApiServices& services, Context ctx, net::Request) {
  auto committed = co_await services.store->leaf_count(ctx);
  if (!committed.ok()) {
    co_return std::move(committed).error();
  }
  auto folded = co_await services.audit->fold(*services.store);
  if (!folded.ok()) {
    co_return std::move(folded).error();
  }
  co_return net::json_response(200, JsonObject{{"tenant", ctx.tenant.text()},
                                               {"leaves", *committed},
                                               {"signed_size", services.audit->size(ctx.tenant)},
                                               {"verifier_key", services.audit->verifier_key()}});
}

/// The note to the letter: an auditor's tools take it as it is.
Task<Answer> audit_checkpoint(const ApiServices& services, Context ctx, net::Request) {
  auto folded = co_await services.audit->fold(*services.store);
  if (!folded.ok()) {
    co_return std::move(folded).error();
  }
  auto note = services.audit->checkpoint(ctx.tenant);
  if (!note.ok()) {
    if (note.error().code() == Code::not_found) {
      co_return Error(Code::not_found, "the log has no leaf yet, so no checkpoint was signed")
          .page(1340);
    }
    co_return std::move(note).error();
  }
  auto head = govern::Checkpoint::parse(note->substr(0, note->find("\n\n") + 1));
  if (!head.ok()) {
    co_return std::move(head).error();
  }
  co_return net::json_response(200, JsonObject{{"tenant", ctx.tenant.text()},
                                               {"origin", head->origin},
                                               {"size", head->size},
                                               {"root", to_hex(view(head->root))},
                                               {"checkpoint", std::move(*note)}});
}

Task<Answer> check_policy(const ApiServices& services, Context ctx, net::Request request) {
  auto asked = body_with_text(request, "path");
  if (!asked.ok()) {
    co_return std::move(asked).error();
  }
  const Json* input = asked->body.if_contains("input");
  auto answered =
      services.guard->query(ctx, asked->text, input == nullptr ? Json(nullptr) : *input);
  if (!answered.ok()) {
    co_return std::move(answered).error();
  }
  const govern::Decision& decision = answered->decision;
  co_return net::json_response(200, JsonObject{{"result", answered->value},
                                               {"bundle_digest", decision.bundle_digest},
                                               {"input_digest", decision.input_digest}});
}

constexpr std::string_view key_schema = R"({
  "type": "object", "required": ["id", "name", "tenant", "roles", "created", "revoked"],
  "properties": {"id": {"type": "string"}, "secret": {"type": "string"},
                 "roles": {"type": "array"}, "expires": {"type": "string"},
                 "expired": {"type": "boolean"}, "per_minute": {"type": "integer"}}})";

}  // namespace

void mount_governance(net::Router& router, const ApiServices& services) {
  using govern::Action;
  const Operation operations[] = {
      {"GET", "/api/v1/keys", "listKeys", "API keys of the tenant, without their secrets.",
       Action::manage_keys, list_keys, "", R"({"type": "object", "required": ["items"]})"},
      {"POST", "/api/v1/keys", "createKey", "Makes a key; the secret is shown once, here.",
       Action::manage_keys, create_key,
       R"({"type": "object", "required": ["name", "roles"], "properties": {
           "name": {"type": "string"}, "roles": {"type": "array", "items": {"type": "string"}},
           "expires": {"type": "string",
             "description": "Opens nothing from then on: a time, or a duration from now."},
           "per_minute": {"type": "integer", "minimum": 1, "maximum": 1000000,
             "description": "So many requests a minute; beyond it 429 with Retry-After."}}})",
       key_schema},
      {"DELETE", "/api/v1/keys/{id}", "revokeKey", "Revokes a key at once.", Action::manage_keys,
       revoke_key, "", object_schema},
      {"GET", "/api/v1/audit", "auditState",
       "Leaves committed, size of the newest signed checkpoint, and the verifier key.",
       Action::read_audit, audit_state, "",
       R"({"type": "object", "required": ["tenant", "leaves", "signed_size", "verifier_key"]})"},
      {"GET", "/api/v1/audit/checkpoint", "auditCheckpoint",
       "The newest signed checkpoint (a C2SP signed note), for keeping elsewhere.",
       Action::read_audit, audit_checkpoint, "",
       R"({"type": "object", "required": ["tenant", "origin", "size", "root", "checkpoint"]})"},
      {"POST", "/api/v1/policy/check", "checkPolicy",
       "Evaluates data.<path> of the tenant's policies with the given input; gives no permit.",
       Action::read_runs, check_policy,
       R"({"type": "object", "required": ["path"], "properties": {"path": {"type": "string"},
           "input": true}})",
       object_schema},
  };
  for (const auto& operation : operations) {
    add(router, services, operation);
  }
}

}  // namespace aios::api
