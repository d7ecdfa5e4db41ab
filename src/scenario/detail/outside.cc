// SPDX-License-Identifier: Apache-2.0
#include "scenario/detail/outside.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::scenario {
namespace {

/// "http://host:1/a?b" -> "/a?b"
std::string_view target_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
  return begin == std::string_view::npos ? "/" : url.substr(begin);
}

/// Whether a text is that pattern, in which each star stands for any characters.
bool fits(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) {
    return pattern == text;
  }
  if (!text.starts_with(pattern.substr(0, star))) {
    return false;
  }
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= text.size(); ++at) {
    if (fits(rest, text.substr(at))) {
      return true;
    }
  }
  return false;
}

Json body_of(const std::string& text) {
  auto parsed = parse_json(text);
  return parsed.ok() ? *std::move(parsed) : Json(text);
}

/// What a request has under a name: in its body, else in its query; null: nothing.
Json asked_for(std::string_view name, std::string_view target, const Json& body) {
  if (const Json* member = find(body, name)) {
    return *member;
  }
  net::Request request;
  if (!net::parse_target(target, &request).ok()) {
    return {};
  }
  const auto at = std::find_if(request.query.begin(), request.query.end(),
                               [&](const auto& one) { return one.first == name; });
  return at == request.query.end() ? Json() : Json(at->second);
}

/// The answer with every text "${request.<name>}" replaced by what the request has there.
Json echoing(const Json& told, std::string_view target, const Json& body) {
  constexpr std::string_view open = "${request.";
  if (told.is_string()) {
    const std::string_view text = view(told.get_string());
    const bool marked = text.starts_with(open) && text.ends_with('}');
    return marked ? asked_for(text.substr(open.size(), text.size() - open.size() - 1), target, body)
                  : told;
  }
  Json out = told;
  if (out.is_array()) {
    for (Json& item : out.get_array()) {
      item = echoing(item, target, body);
    }
  } else if (out.is_object()) {
    for (auto& member : out.get_object()) {
      member.value() = echoing(member.value(), target, body);
    }
  }
  return out;
}

Result<net::Response> response_of(const Json& told) {
  if (bool_or(told, "lost", false)) {
    return Error(Code::unavailable, "the answer was lost", Retry::whole_step);
  }
  if (bool_or(told, "refused", false)) {
    return Error(Code::unavailable, "the connection was refused", Retry::same_call);
  }
  const Json* body = find(told, "body");
  auto response =
      net::json_response(static_cast<int>(int_or(told, "status", 200)), body ? *body : Json());
  if (body == nullptr) {
    response.body.clear();
  }
  if (const Json* headers = find(told, "headers"); headers != nullptr) {
    for (const auto& header : headers->get_object()) {
      response.headers.set(std::string(header.key()),
                           std::string(view(header.value().get_string())));
    }
  }
  return response;
}

/// A prediction with what every model's has.
JsonObject whole_answer(const Json& told, const std::string& alias) {
  JsonObject output = told.get_object();
  output.erase("usage");
  if (!output.contains("version")) {
    output["version"] = alias + "@scripted";
  }
  if (!output.contains("reasons")) {
    output["reasons"] = JsonArray();
  }
  if (!output.contains("scores")) {
    output["scores"] =
        JsonArray{JsonObject{{"label", output["label"]}, {"confidence", output["confidence"]}}};
  }
  return output;
}

}  // namespace

Script::Script(const Json* told) {
  if (told == nullptr) {
    return;
  }
  for (const auto& member : told->get_object()) {
    Answers& answers = told_[std::string(member.key())];
    if (member.value().is_array()) {
      const auto& list = member.value().get_array();
      answers.list.assign(list.begin(), list.end());
    } else {
      answers.list.push_back(member.value());
    }
  }
}

std::map<std::string, Script::Answers>::iterator Script::find(const std::string& asked) {
  const auto exact = told_.find(asked);
  if (exact != told_.end()) {
    return exact;
  }
  return std::find_if(told_.begin(), told_.end(),
                      [&](const auto& one) { return fits(one.first, asked); });
}

Script::Told Script::next(const std::string& asked) {
  const auto found = find(asked);
  if (found == told_.end()) {
    return {asked, nullptr};
  }
  Answers& answers = found->second;
  const std::size_t at = std::min(answers.given++, answers.list.size() - 1);
  return {found->first, &answers.list[at]};
}

std::vector<std::string> Script::names() const {
  std::vector<std::string> out;
  for (const auto& [name, answers] : told_) {
    out.push_back(name);
  }
  return out;
}

Task<Result<net::Response>> ScriptedSystems::send(Context /*ctx*/, net::ClientRequest request) {
  const std::string line = fmt::format("{} {}", request.method, target_of(request.url));
  const std::string whole = fmt::format("{} {}", request.method, request.url);
  const Script::Told told = script_.next(script_.knows(whole) ? whole : line);
  const Json body = request.body.empty() ? Json() : body_of(request.body);
  requests.push_back(request.body.empty() ? Json(told.name) : Json(JsonObject{{told.name, body}}));
  if (told.answer == nullptr) {
    unscripted_->push_back(fmt::format("'{}' was asked, and 'systems' has no answer to it{}", line,
                                       hint(line, script_.names())));
    co_return Error(Code::unavailable, "the scenario has no answer", Retry::same_call);
  }
  const Json answer = echoing(*told.answer, target_of(request.url), body);
  co_return response_of(answer);
}

Result<std::pair<std::string, std::string>> ScriptedModels::resolve(const Context& /*ctx*/,
                                                                    std::string_view alias) {
  if (!script_.knows(std::string(alias))) {
    unscripted_->push_back(fmt::format("model '{}' was asked, and 'models' has no answer of it{}",
                                       alias, hint(alias, script_.names())));
    return Error(Code::not_found, fmt::format("the scenario has no model '{}'", alias));
  }
  return std::pair(std::string(alias), std::string("scripted"));
}

Task<gateway::ProviderReply> ScriptedModels::complete(Context /*ctx*/, govern::Permit /*permit*/,
                                                      gateway::ProviderCall call) {
  gateway::ProviderReply reply;
  reply.output = whole_answer(*script_.next(call.alias).answer, call.alias);
  reply.model = std::move(call.model);
  reply.version = std::move(call.version);
  co_return reply;
}

namespace {

/// A provider as the bundle makes it, but for its calls.
class ScriptedHosted final : public gateway::Provider {
 public:
  ScriptedHosted(std::unique_ptr<gateway::Provider> real, std::shared_ptr<Script> script,
                 Unscripted* unscripted)
      : real_(std::move(real)),
        script_(std::move(script)),
        unscripted_(unscripted) {}
  std::string_view name() const override { return real_->name(); }
  std::string_view region() const override { return real_->region(); }
  Result<std::pair<std::string, std::string>> resolve(const Context& ctx,
                                                      std::string_view alias) override {
    return real_->resolve(ctx, alias);
  }
  gateway::Usage bound(const Json& input) const override { return real_->bound(input); }

  Task<gateway::ProviderReply> complete(Context /*ctx*/, govern::Permit /*permit*/,
                                        gateway::ProviderCall call) override {
    gateway::ProviderReply reply;
    reply.model = call.model;
    reply.version = call.version;
    const Script::Told told = script_->next(call.alias);
    if (told.answer == nullptr) {
      unscripted_->push_back(fmt::format("model '{}' was asked, and 'models' has no answer of it{}",
                                         call.alias, hint(call.alias, script_->names())));
    }
    if (told.answer == nullptr || bool_or(*told.answer, "unavailable", false)) {
      reply.outcome = Outcome::failed;
      reply.sent = false;
      reply.error =
          Error(Code::unavailable, fmt::format("the server of model '{}' is not there", call.alias),
                Retry::same_call);
      co_return reply;
    }
    reply.usage = gateway::Usage();
    if (const Json* usage = find(*told.answer, "usage"); usage != nullptr) {
      reply.usage->input_tokens = static_cast<std::uint64_t>(int_or(*usage, "input", 0));
      reply.usage->output_tokens = static_cast<std::uint64_t>(int_or(*usage, "output", 0));
    }
    reply.output = whole_answer(*told.answer, call.alias);
    co_return reply;
  }

 private:
  std::unique_ptr<gateway::Provider> real_;
  std::shared_ptr<Script> script_;
  Unscripted* unscripted_;
};

}  // namespace

gateway::ProviderRegistry scripted_providers(const Json* told, Unscripted* unscripted) {
  gateway::ProviderRegistry real;
  gateway::register_all_providers(real);
  const auto script = std::make_shared<Script>(told);
  gateway::ProviderRegistry out;
  for (gateway::ProviderEntry entry : real.entries()) {
    entry.make = [make = entry.make, script, unscripted](
                     const gateway::ProviderServices& services,
                     const Json& options) -> Result<std::unique_ptr<gateway::Provider>> {
      auto made = make(services, options);
      if (!made.ok()) {
        return std::move(made).error();
      }
      return std::unique_ptr<gateway::Provider>(
          std::make_unique<ScriptedHosted>(std::move(*made), script, unscripted));
    };
    out.add(std::move(entry));
  }
  return out;
}

}  // namespace aios::scenario
