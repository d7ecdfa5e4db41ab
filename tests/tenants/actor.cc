// SPDX-License-Identifier: Apache-2.0
#include "actor.h"

#include "shop.h"

#include "core/crypto.h"
#include "core/ids.h"
#include "core/text.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <utility>

namespace aios::tenants {
namespace {

enum Role : std::size_t { reviewer, approver, operates, auditor };
constexpr std::array<std::string_view, 4> role_names = {"reviewer", "approver", "operator",
                                                        "auditor"};

/// Of what is about all tenants by its nature.
bool is_of_all(const std::string& operation) {
  return operation == "metrics" || operation == "doctor" || operation == "listTenants";
}

JsonObject encoded(const std::map<std::string, std::string>& files) {
  JsonObject out;
  for (const auto& [path, text] : files) {
    out[path] = to_base64(text);
  }
  return out;
}

std::string_view kind_behind(std::string_view segment) {
  return segment == "runs" || segment == "tasks" ? "run"
         : segment == "events"                   ? "evt"
         : segment == "reviews"                  ? "rev"
         : segment == "deliveries"               ? "dlv"
                                                 : "key";
}

}  // namespace

Actor::Actor(World& world, ActorOptions options)
    : world_(world),
      options_(std::move(options)),
      state_(options_.seed * 0x9E3779B97F4A7C15ULL + 0x1234567) {}

std::uint64_t Actor::below(std::uint64_t bound) {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return (z ^ (z >> 31)) % bound;
}

std::string Actor::one_of(const std::vector<std::string>& texts) {
  return texts[below(texts.size())];
}

/// An id that it has, or one that nobody has.
std::string Actor::known(std::string_view prefix) {
  const auto& ids = seen_.ids(prefix);
  const std::uint64_t drawn = below(1'000);
  return ids.empty() ? std::string(prefix) + "_none" : ids[drawn % ids.size()];
}

const std::string& Actor::key_of(std::size_t role) const {
  return role < keys_.size() ? keys_[role] : options_.admin;
}

net::Response Actor::send(Ask ask) {
  const Time before = world_.now();
  const std::string asked =
      seen_.plain(fmt::format("{} {} {}", ask.method, ask.target, excerpt(ask.body, 400)));
  auto answer = world_.ask(ask);
  ++answered_[static_cast<std::size_t>(answer.status / 100)];
  std::string told =
      fmt::format("{} -> {} after {} ns\n", asked, answer.status, (world_.now() - before).count());
  for (const net::Header& header : answer.headers) {
    told += fmt::format("{}: {}\n", header.name, seen_.plain(header.value));
  }
  told += seen_.plain_body(answer.body);
  story_.push_back(std::move(told));
  if (!naming_another_) {
    heard_ += answer.body + "\n";
  }
  return answer;
}

Ask Actor::post(std::string target, const Json& body, const std::string& key) {
  return {"POST", std::move(target), key.empty() ? options_.admin : key, to_text(body), {}};
}

void Actor::set_up() {
  send(post("/api/v1/deployments", JsonObject{{"files", encoded(shop_files(0))}}));
  for (const std::string_view role : role_names) {
    const auto made =
        send(post("/api/v1/keys", JsonObject{{"name", role}, {"roles", JsonArray{role}}}));
    auto answer = parse_json(made.body);
    world_.rest(std::chrono::milliseconds(10));  // ids of one moment have no order
    keys_.emplace_back(answer.ok() ? text_or(*answer, "secret", "") : "");
  }
  send(post("/api/v1/models/intent/train", JsonObject()));
  send(post("/api/v1/models/intent/aliases/intent", JsonObject{{"version", 1}, {"new_alias", true}},
            key_of(approver)));
}

JsonObject Actor::order_data() {
  const std::array<int, 4> amounts = {10, 40, 60, 90};
  return {{"order", fmt::format("O-{}", below(4))},
          {"amount", amounts[below(4)]},
          {"memo", options_.memo}};
}

Ask Actor::send_event() {
  const std::string type = one_of(
      {"shop.order", "shop.order", "shop.order", "shop.note", "shop.other", "shop.forbidden"});
  JsonObject event{
      {"specversion", "1.0"},
      {"id", fmt::format("e-{}", below(9))},
      {"source", one_of({"/shop/api", "/shop/api", "/shop/api", "/shop/api", "/hook"})},
      {"type", type},
      {"datacontenttype", "application/json"},
      {"data", order_data()}};
  if (below(3) == 0) {
    event["subject"] = fmt::format("person-{}", below(3));
  }
  if (below(4) == 0) {
    event["partitionkey"] = "line-1";
  }
  Ask ask = post("/api/v1/events", std::move(event));
  ask.headers.emplace_back("content-type", "application/cloudevents+json");
  return ask;
}

Ask Actor::send_webhook() {
  const std::string id = fmt::format("m-{}", below(6));
  const bool late = below(8) == 0;
  const std::string signer = below(8) == 0 ? "nobody" : options_.tenant;
  const std::int64_t seconds = world_.now().ns / 1'000'000'000 - (late ? 900 : 0);
  const std::string body = to_text(order_data());
  const std::string place = options_.tenant == default_tenant().text() ? "" : options_.tenant + "/";
  Ask ask{"POST", fmt::format("/hooks/{}hook", place), "", body, {}};
  const std::string text = fmt::format("{}.{}.{}", id, seconds, body);
  ask.headers = {
      {"webhook-id", id},
      {"webhook-timestamp", std::to_string(seconds)},
      {"webhook-signature", "v1," + to_base64(view(hmac_sha256(hook_key(signer), text)))},
      {"content-type", "application/json"}};
  return ask;
}

Ask Actor::start() {
  const JsonObject item{{"cents", 13 + below(2)}};
  Ask ask =
      post("/api/v1/runs",
           JsonObject{{"workflow", one_of({"shop/sums", "sums", "sum"})},
                      {"input", JsonObject{{"items", JsonArray{item}}, {"memo", options_.memo}}}});
  if (below(3) > 0) {
    ask.headers.emplace_back("idempotency-key", fmt::format("k-{}", below(5)));
  }
  return ask;
}

Ask Actor::hand_in() {
  JsonObject task{{"workflow", "shop/sums"},
                  {"input", JsonObject{{"items", JsonArray()}, {"memo", options_.memo}}}};
  if (below(2) == 0) {
    task["callback"] =
        JsonObject{{"url", one_of({"http://partner.example/callbacks/a", "http://else.example/"})}};
  }
  if (below(3) == 0) {
    task["timeout"] = "PT1.333S";
  }
  Ask ask = post("/api/v1/tasks", std::move(task));
  if (below(2) == 0) {
    ask.headers.emplace_back("idempotency-key", fmt::format("t-{}", below(5)));
  }
  return ask;
}

/// Every operation that reads: what is added to the API is asked here by itself.
std::vector<const net::Route*> Actor::readable() const {
  std::vector<const net::Route*> routes;
  for (const net::Route& route : world_.routes()) {
    const bool all = options_.tenant == default_tenant().text() && is_of_all(route.operation_id);
    if (route.method == "GET" && !route.operation_id.empty() && !all) {
      routes.push_back(&route);
    }
  }
  return routes;
}

/// @param newest  which of the ids it knows, from the last one back
std::string Actor::target_of(const net::Route& route, std::size_t newest) {
  std::string target;
  std::string_view segment;
  for (const std::string_view part : split(route.pattern, '/')) {
    if (part.empty()) {
      continue;
    }
    target += '/';
    if (part == "{id}") {
      const auto& ids = seen_.ids(kind_behind(segment));
      target += ids.empty() ? "none" : ids[ids.size() - 1 - newest % ids.size()];
    } else {
      target += !part.starts_with('{') ? std::string(part) : part == "{name}" ? "intent" : "1";
    }
    segment = part;
  }
  return target;
}

Ask Actor::read() {
  const auto routes = readable();
  const net::Route& route = *routes[below(routes.size())];
  return {"GET", target_of(route, below(1'000)), key_of(below(6)), "", {}};
}

void Actor::look_at_everything() {
  constexpr std::size_t newest_max = 4;
  naming_another_ = false;
  for (const net::Route* route : readable()) {
    const bool by_id = route->pattern.find("{id}") != std::string::npos;
    for (std::size_t newest = 0; newest < (by_id ? newest_max : 1); ++newest) {
      send({"GET", target_of(*route, newest), options_.admin, "", {}});
    }
  }
}

Ask Actor::review() {
  const std::string id = known("rev");
  const std::string place = "/api/v1/reviews/" + id;
  switch (below(8)) {
    case 0: return post(place + "/claim", JsonObject(), key_of(reviewer));
    case 1: return post(place + "/approve", JsonObject(), key_of(approver));
    case 2: return post(place + "/send-back", JsonObject{{"reason", "no"}}, key_of(approver));
    case 3:
      return post(place + "/assign", JsonObject{{"assignees", JsonArray{"reviewer", "approver"}}},
                  key_of(reviewer));
    case 4: return post("/api/v1/reviews/next", JsonObject(), key_of(reviewer));
    case 5: return post(place + "/release", JsonObject(), key_of(reviewer));
    default:
      return post(place + "/answer",
                  JsonObject{{"answer", JsonObject{{"label", one_of({"good", "bad", "ugly"})}}}},
                  key_of(reviewer));
  }
}

Ask Actor::change_run() {
  const std::string place = "/api/v1/runs/" + known("run");
  switch (below(4)) {
    case 0: return post(place + "/cancel", JsonObject(), key_of(operates));
    case 1: return post(place + "/retry", JsonObject(), key_of(operates));
    case 2: return post("/api/v1/run-retries", JsonObject{{"dry_run", below(2) == 0}});
    default:
      return post(place + "/resolve",
                  JsonObject{{"incident", known("inc")},
                             {"resolution", one_of({"retry", "fail", "happened"})},
                             {"result", JsonObject{{"id", "R-1"}}}},
                  key_of(operates));
  }
}

Ask Actor::change_keys() {
  if (below(2) == 0) {
    return {"DELETE", "/api/v1/keys/" + known("key"), options_.admin, "", {}};
  }
  const std::string role = one_of({"reviewer", "operator", "nobody"});
  return post("/api/v1/keys",
              JsonObject{{"name", fmt::format("clerk-{}", below(3))}, {"roles", JsonArray{role}}});
}

Ask Actor::deploy() {
  switch (below(4)) {
    case 0: return post("/api/v1/deployments/again", JsonObject{{"number", 1 + below(3)}});
    case 1:
      return post("/api/v1/deployments/plan", JsonObject{{"files", encoded(shop_files(below(3)))}});
    default:
      return post("/api/v1/deployments",
                  JsonObject{{"files", encoded(shop_files(below(3)))},
                             {"parameters", JsonObject{{"limit", below(3)}}}});
  }
}

Ask Actor::model() {
  const std::string place = "/api/v1/models/intent/";
  switch (below(5)) {
    case 0: return post(place + "train", JsonObject{{"corrections", below(2) == 0}});
    case 1:
      return post(place + "aliases/intent", JsonObject{{"version", 1 + below(3)}},
                  key_of(approver));
    case 2: return {"DELETE", place + "aliases/other", key_of(approver), "", {}};
    default: return post(place + "predict", JsonObject{{"text", "where is the parcel"}});
  }
}

Ask Actor::replay() {
  switch (below(3)) {
    case 0: return post("/api/v1/events/" + known("evt") + "/replay", JsonObject());
    case 1: return post("/api/v1/deliveries/" + known("dlv") + "/replay", JsonObject());
    default: return post("/api/v1/deliveries/replay", JsonObject());
  }
}

/// A question to its policies about what they do not allow, a key that opens nothing, a way that is
/// not there.
Ask Actor::ask_what_is_refused() {
  switch (below(3)) {
    case 0:
      return post("/api/v1/policy/check",
                  JsonObject{{"path", one_of({"aios/event_admit/allow", "shop/none"})},
                             {"input", JsonObject{{"event", JsonObject{{"type", "a"}}}}}});
    case 1: return {"GET", "/api/v1/runs", "aios_of-nobody", "", {}};
    default: return {"DELETE", "/api/v1/runs", options_.admin, "", {}};
  }
}

/// What belongs to another is not there, whatever is asked of it.
Ask Actor::try_anothers(const Actor* other) {
  static constexpr std::array<std::string_view, 14> ways = {
      "GET runs run ",           "GET runs run /case",      "GET runs run /history",
      "GET runs run /explain",   "POST runs run /cancel",   "POST runs run /retry",
      "GET events evt ",         "POST events evt /replay", "GET reviews rev ",
      "POST reviews rev /claim", "GET tasks run ",          "GET deliveries dlv ",
      "DELETE keys key ",        "POST reviews rev /answer"};
  const auto parts = split(ways[below(ways.size())], ' ');
  const std::string kind(parts[2]);
  const std::uint64_t drawn = below(1'000);
  const auto* ids = other == nullptr ? nullptr : &other->seen().ids(kind);
  const std::array<unsigned char, 10> bytes = {'n', 'o', 'b', 'o', 'd', 'y', 0, 0, 0, 0};
  const std::string id = ids == nullptr || ids->empty() ? make_id(kind, world_.now(), bytes)
                                                        : (*ids)[drawn % ids->size()];
  seen_.is_anothers(id);
  const std::string target = fmt::format("/api/v1/{}/{}{}", parts[1], id, parts[3]);
  const bool answers = parts[3] == "/answer";
  const Json body = answers ? JsonObject{{"answer", JsonObject{{"label", "good"}}}} : JsonObject();
  return {std::string(parts[0]),
          target,
          answers ? key_of(reviewer) : options_.admin,
          parts[0] == "POST" ? to_text(body) : "",
          {}};
}

void Actor::act(const Actor* other) {
  Ask ask;
  const std::uint64_t drawn = below(100);
  naming_another_ = drawn >= 92;
  if (drawn < 20) {
    ask = send_event();
  } else if (drawn < 26) {
    ask = send_webhook();
  } else if (drawn < 32) {
    ask = start();
  } else if (drawn < 36) {
    ask = hand_in();
  } else if (drawn < 62) {
    ask = read();
  } else if (drawn < 72) {
    ask = review();
  } else if (drawn < 78) {
    ask = change_run();
  } else if (drawn < 80) {
    ask = change_keys();
  } else if (drawn < 82) {
    ask = deploy();
  } else if (drawn < 86) {
    ask = model();
  } else if (drawn < 90) {
    ask = replay();
  } else if (drawn < 92) {
    ask = ask_what_is_refused();
  } else {
    ask = try_anothers(other);
  }
  send(std::move(ask));
}

}  // namespace aios::tenants
