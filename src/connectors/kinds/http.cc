// SPDX-License-Identifier: Apache-2.0
// Kind http: operations as HTTP requests with JSON bodies; requests and results are shaped by jq.
#include "connectors/connectors.h"
#include "connectors/detail/egress.h"
#include "connectors/detail/http_answer.h"
#include "connectors/detail/http_manifest.h"
#include "connectors/detail/outgoing.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::connectors {

namespace {

using detail::HttpManifest;
using detail::HttpOperation;
using detail::HttpRequestForm;

constexpr std::string_view example_manifest = R"(
name: example
kind: http
region: eu
baseUrl: "${params.url}"
operations:
  read_it:
    method: GET
    path: "/things/{id}"
    effect: read
    arguments: {type: object, required: [id], properties: {id: {type: string}}}
    result: .body
  make_it:
    method: POST
    path: /things
    effect: none
    body: '{reference: $effect}'
    resultSchema: {type: object, required: [id]}
)";

expr::EvalLimits small_limits() {
  expr::EvalLimits limits;
  limits.steps_max = 200'000;
  limits.memory_bytes_max = std::size_t{16} << 20;
  limits.outputs_max = 16;
  return limits;
}

/// Where it is not in the form that the manifest gives a success, it is not known to be one.
Result<Json> as_success(const HttpOperation& operation, Result<Json> result) {
  if (!result.ok() || !operation.info.result_checker) {
    return result;
  }
  auto fits = operation.info.result_checker->validate(*result);
  if (fits.ok()) {
    return result;
  }
  return Error(Code::data_loss, fmt::format("the result is not in the form of a success: {}",
                                            fits.error().message()))
      .page(905);
}

class HttpConnector final : public Connector {
 public:
  HttpConnector(KindServices services, std::unique_ptr<HttpManifest> manifest)
      : services_(std::move(services)),
        manifest_(std::move(manifest)) {}

  std::vector<std::string> operations() const override {
    std::vector<std::string> out;
    for (const auto& [name, operation] : manifest_->operations) {
      out.push_back(name);
    }
    return out;
  }
  const OperationInfo* describe(std::string_view operation) const override {
    const HttpOperation* found = find_operation(operation);
    return found == nullptr ? nullptr : &found->info;
  }
  const Limits& limits() const override { return manifest_->limits; }
  std::vector<std::string> secrets() const override {
    return manifest_->auth_secret.empty() ? std::vector<std::string>()
                                          : std::vector<std::string>{manifest_->auth_secret};
  }
  Result<void> rehearse(const govern::Decision& decision, const OperationCall& call) const override;
  Result<Json> recall(const OperationCall& call, const Json& result) const override;
  Task<Performed> perform(Context ctx, govern::Permit permit, OperationCall call) override;
  Task<LookedUp> lookup(Context ctx, govern::Permit permit, OperationCall call) override;

 private:
  const HttpOperation* find_operation(std::string_view name) const {
    const auto found = manifest_->operations.find(name);
    return found == manifest_->operations.end() ? nullptr : &found->second;
  }
  Result<Json> recall(const HttpOperation& operation, const Result<Json>& result,
                      const OperationCall& call) const;
  Result<Json> evaluate(const expr::Program& program, const Json& input,
                        const OperationCall& call) const;
  /// What the arguments make of a request; under `redact` looked through once more.
  Result<detail::Outgoing> shape(const HttpRequestForm& form, const govern::Decision& decision,
                                 const OperationCall& call) const;
  Result<net::ClientRequest> make_request(const HttpRequestForm& form,
                                          const govern::Decision& decision,
                                          const OperationCall& call) const;
  /// The answer as {status, headers, body}, through the form's expression; null where the status
  /// says that there is none.
  Result<Json> read_answer(const HttpRequestForm& form, const net::Response& response,
                           const OperationCall& call) const;
  detail::Verdict judge(const net::Response& response, EffectClass effect) const;
  Result<Json> read_found(const HttpOperation& operation, const net::Response& response,
                          const OperationCall& call) const;

  KindServices services_;
  std::unique_ptr<const HttpManifest> manifest_;
};

Result<Json> HttpConnector::evaluate(const expr::Program& program, const Json& input,
                                     const OperationCall& call) const {
  const Json effect(call.effect_id);
  const Json run(call.run_id);
  const expr::Variable variables[] = {
      {"effect", &effect}, {"run", &run}, {"arguments", &call.arguments}};
  expr::EvalOptions options;
  options.now = services_.clock->now();
  options.limits = small_limits();
  return program.eval_one(input, variables, options);
}

Result<detail::Outgoing> HttpConnector::shape(const HttpRequestForm& form,
                                              const govern::Decision& decision,
                                              const OperationCall& call) const {
  detail::Outgoing out;
  auto path = form.path.fill(call.arguments, {.effect_id = call.effect_id, .run_id = call.run_id});
  if (!path.ok()) {
    return std::move(path).error();
  }
  out.target = std::move(*path);
  if (form.body) {
    auto body = evaluate(*form.body, call.arguments, call);
    if (!body.ok()) {
      return std::move(body).error().with("making the request's body");
    }
    out.body = std::move(*body);
  }
  if (detail::demands_masking(decision)) {
    std::vector<std::string_view> own = {call.effect_id, call.run_id};
    own.insert(own.end(), form.path.literals().begin(), form.path.literals().end());
    const std::string body_text = form.body ? std::string(form.body->text()) : std::string();
    own.emplace_back(body_text);
    auto masked = detail::check_masked(out, own);
    if (!masked.ok()) {
      return std::move(masked).error();
    }
  }
  return out;
}

Result<net::ClientRequest> HttpConnector::make_request(const HttpRequestForm& form,
                                                       const govern::Decision& decision,
                                                       const OperationCall& call) const {
  auto shaped = shape(form, decision, call);
  if (!shaped.ok()) {
    return std::move(shaped).error();
  }
  net::ClientRequest request;
  request.method = form.method;
  request.url = manifest_->base_url + shaped->target;
  for (const auto& [name, value] : manifest_->headers) {
    request.headers.add(name, value);
  }
  request.headers.add("accept", "application/json");
  if (!manifest_->auth_header.empty()) {
    auto secret = services_.secret(manifest_->auth_secret);
    if (!secret.ok()) {
      return Error(Code::unavailable, std::string(secret.error().message()), Retry::same_call)
          .page(906);
    }
    request.headers.set(manifest_->auth_header, manifest_->auth_prefix + *secret);
  }
  if (shaped->body) {
    request.body = to_text(*shaped->body);
    request.headers.add("content-type", "application/json");
  }
  return request;
}

Result<void> HttpConnector::rehearse(const govern::Decision& decision,
                                     const OperationCall& call) const {
  const HttpOperation* operation = find_operation(call.operation);
  AIOS_ASSERT(operation != nullptr);
  auto shaped = shape(operation->request, decision, call);
  if (shaped.ok() && operation->lookup) {
    shaped = shape(*operation->lookup, decision, call);
  }
  return shaped.ok() ? Result<void>() : Result<void>(std::move(shaped).error());
}

Result<Json> HttpConnector::read_answer(const HttpRequestForm& form, const net::Response& response,
                                        const OperationCall& call) const {
  if (std::find(form.absent.begin(), form.absent.end(), response.status) != form.absent.end()) {
    return Json(nullptr);
  }
  auto answer = detail::answer_to_json(response);
  if (!answer.ok()) {
    return answer;
  }
  if (!form.result) {
    const Json* body = find(*answer, "body");
    return body == nullptr ? Json(nullptr) : *body;
  }
  auto result = evaluate(*form.result, *answer, call);
  if (!result.ok()) {
    return Error(Code::data_loss,
                 fmt::format("the answer cannot be read: {}", result.error().message()))
        .page(905);
  }
  return result;
}

/// What the run keeps of a result for policies.
Result<Json> HttpConnector::recall(const HttpOperation& operation, const Result<Json>& result,
                                   const OperationCall& call) const {
  if (!result.ok() || result->is_null() || !operation.remember) {
    return Json(nullptr);
  }
  auto kept = evaluate(*operation.remember, *result, call);
  if (!kept.ok()) {
    return Error(Code::data_loss, fmt::format("the answer lacks what is to be remembered of it: {}",
                                              kept.error().message()))
        .page(905);
  }
  return kept;
}

Result<Json> HttpConnector::recall(const OperationCall& call, const Json& result) const {
  const HttpOperation* operation = find_operation(call.operation);
  AIOS_ASSERT(operation != nullptr);
  return recall(*operation, result, call);
}

detail::Verdict HttpConnector::judge(const net::Response& response, EffectClass effect) const {
  const bool own_word = detail::rule_for(response.status, manifest_->errors) != nullptr;
  if (response.status == 401 && !manifest_->auth_secret.empty() && !own_word) {
    return detail::secret_not_taken(manifest_->auth_secret);
  }
  return detail::judge_answer(response, effect, manifest_->errors);
}

Task<Performed> HttpConnector::perform(Context ctx, govern::Permit permit, OperationCall call) {
  Performed performed;
  auto fits = permit.check(ctx, govern::GuardPoint::connector_egress);
  if (!fits.ok()) {
    performed.outcome = Outcome::failed;
    performed.error = std::move(fits).error();
    co_return performed;
  }
  const HttpOperation* operation = find_operation(call.operation);
  AIOS_ASSERT(operation != nullptr);
  const EffectClass effect = operation->info.effect;
  auto request = make_request(operation->request, permit.decision(), call);
  if (!request.ok()) {
    performed.outcome = Outcome::failed;
    performed.error = std::move(request).error();
    co_return performed;
  }
  if (!operation->key_header.empty()) {
    request->headers.set(operation->key_header, call.effect_id);
  }
  std::string image = detail::request_image(*request);
  auto sending = services_.client->send(std::move(ctx), std::move(*request));
  auto response = co_await std::move(sending);
  if (response.ok() || net::sent_of(response.error()) != net::Sent::nothing) {
    performed.request = std::move(image);
  }
  if (!response.ok()) {
    auto verdict = detail::judge_failure(std::move(response).error(), effect);
    performed.outcome = verdict.outcome;
    performed.error = std::move(verdict.error);
    co_return performed;
  }
  performed.answer = detail::answer_image(*response);
  const auto& absent = operation->request.absent;
  const bool none = std::find(absent.begin(), absent.end(), response->status) != absent.end();
  auto verdict = judge(*response, effect);
  if (!none && verdict.outcome != Outcome::done) {
    performed.outcome = verdict.outcome;
    performed.error = std::move(verdict.error);
    performed.spared = verdict.spared;
    co_return performed;
  }
  auto result = read_answer(operation->request, *response, call);
  if (!none) {
    result = as_success(*operation, std::move(result));
  }
  auto kept = recall(*operation, result, call);
  if (result.ok() && kept.ok()) {
    performed.outcome = Outcome::done;
    performed.result = std::move(*result);
    performed.remembered = std::move(*kept);
    co_return performed;
  }
  // The peer said yes, but what it said cannot be trusted.
  performed.outcome = effect == EffectClass::read ? Outcome::failed : Outcome::unknown;
  performed.error = result.ok() ? std::move(kept).error() : std::move(result).error();
  co_return performed;
}

/// Null: it did not happen.
Result<Json> HttpConnector::read_found(const HttpOperation& operation,
                                       const net::Response& response,
                                       const OperationCall& call) const {
  const HttpRequestForm& form = *operation.lookup;
  const bool none =
      std::find(form.absent.begin(), form.absent.end(), response.status) != form.absent.end();
  auto verdict = judge(response, EffectClass::read);
  if (!none && verdict.outcome != Outcome::done) {
    return *std::move(verdict.error);
  }
  auto found = read_answer(form, response, call);
  if (found.ok() && found->is_null()) {
    return found;
  }
  return as_success(operation, std::move(found));
}

Task<LookedUp> HttpConnector::lookup(Context ctx, govern::Permit permit, OperationCall call) {
  LookedUp looked_up;
  auto fits = permit.check(ctx, govern::GuardPoint::connector_egress);
  if (!fits.ok()) {
    looked_up.error = std::move(fits).error();
    co_return looked_up;
  }
  const HttpOperation* operation = find_operation(call.operation);
  AIOS_ASSERT(operation != nullptr);
  if (!operation->lookup) {
    looked_up.error = Error(Code::failed_precondition,
                            fmt::format("operation '{}' has no look-up", call.operation))
                          .page(901);
    co_return looked_up;
  }
  const HttpRequestForm& form = *operation->lookup;
  auto request = make_request(form, permit.decision(), call);
  if (!request.ok()) {
    looked_up.error = std::move(request).error();
    co_return looked_up;
  }
  std::string image = detail::request_image(*request);
  auto sending = services_.client->send(std::move(ctx), std::move(*request));
  auto response = co_await std::move(sending);
  if (response.ok() || net::sent_of(response.error()) != net::Sent::nothing) {
    looked_up.request = std::move(image);
  }
  if (!response.ok()) {
    looked_up.error = detail::judge_failure(std::move(response).error(), EffectClass::read).error;
    co_return looked_up;
  }
  looked_up.answer = detail::answer_image(*response);
  auto found = read_found(*operation, *response, call);
  auto kept = recall(*operation, found, call);
  if (!found.ok() || !kept.ok()) {
    Error error = found.ok() ? std::move(kept).error() : std::move(found).error();
    looked_up.error = std::move(error).with("looking up whether it happened");
  } else if (!found->is_null()) {
    looked_up.result = std::move(*found);
    looked_up.remembered = std::move(*kept);
  }
  co_return looked_up;
}

std::unique_ptr<Connector> make_http(const KindServices& services, const ManifestFile& file,
                                     const Json& params, std::vector<Error>* errors) {
  auto manifest = detail::read_http_manifest(file, params, errors);
  if (!manifest) {
    return nullptr;
  }
  return std::make_unique<HttpConnector>(services, std::move(manifest));
}

}  // namespace

void register_kind_http(KindRegistry& registry);
void register_kind_http(KindRegistry& registry) {
  registry.add({.name = "http",
                .summary = "A system with an HTTP API that speaks JSON.",
                .make = make_http,
                .example = std::string(example_manifest)});
}

}  // namespace aios::connectors
