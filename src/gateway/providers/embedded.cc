// SPDX-License-Identifier: Apache-2.0
// embedded: the models of this installation's own registry, predicted in this process.
#include "core/text.h"
#include "gateway/gateway.h"

#include <fmt/format.h>

#include <utility>

namespace aios::gateway {
namespace {

Json to_output(const models::Prediction& prediction, const std::string& version) {
  JsonArray reasons;
  for (const models::Reason& reason : prediction.reasons) {
    reasons.push_back(JsonObject{{"term", reason.term}, {"weight", reason.weight}});
  }
  JsonArray scores;
  for (const models::Scored& scored : prediction.top) {
    scores.push_back(JsonObject{{"label", scored.label}, {"confidence", scored.confidence}});
  }
  JsonObject output{{"label", prediction.best.label},
                    {"confidence", prediction.best.confidence},
                    {"version", version},
                    {"reasons", std::move(reasons)},
                    {"scores", std::move(scores)}};
  if (prediction.novelty) {
    output["novelty"] = *prediction.novelty;
  }
  return output;
}

ProviderReply failed(Error error) {
  ProviderReply reply;
  reply.outcome = Outcome::failed;
  reply.error = std::move(error);
  return reply;
}

class Embedded final : public Provider {
 public:
  explicit Embedded(models::Models& models) : models_(&models) {}
  std::string_view name() const override { return "embedded"; }
  std::string_view region() const override { return "local"; }

  Result<std::pair<std::string, std::string>> resolve(const Context& ctx,
                                                      std::string_view alias) override {
    auto serving = models_->serving(ctx.tenant, alias);
    if (!serving.ok()) {
      return std::move(serving).error();
    }
    return std::pair(serving->name, std::to_string(serving->version));
  }

  Task<ProviderReply> complete(Context ctx, govern::Permit permit, ProviderCall call) override {
    auto fits = permit.check(ctx, govern::GuardPoint::pre_model_call);
    if (!fits.ok()) {
      co_return failed(std::move(fits).error());
    }
    const Json* text = find(call.input, "text");
    if (text == nullptr || !text->is_string()) {
      co_return failed(Error(Code::invalid_argument,
                             fmt::format("found no text in member 'text' of the input for model "
                                         "'{}', wanted {{\"text\": \"...\"}}",
                                         call.model))
                           .page(800));
    }
    auto serving = models_->serving(ctx.tenant, call.alias);
    if (!serving.ok()) {
      co_return failed(std::move(serving).error());
    }
    if (serving->name != call.model || std::to_string(serving->version) != call.version) {
      co_return failed(
          Error(Code::aborted,
                fmt::format("the alias '{}' was given another version meanwhile", call.alias),
                Retry::same_call));
    }
    const auto prediction = serving->model->predict(view(text->get_string()));
    ProviderReply answer;
    answer.output = to_output(prediction, fmt::format("{}@{}", call.model, call.version));
    answer.model = std::move(call.model);
    answer.version = std::move(call.version);
    co_return answer;
  }

 private:
  models::Models* models_;
};

Result<std::unique_ptr<Provider>> make(const ProviderServices& services, const Json& options) {
  if (!options.is_object() || !options.get_object().empty()) {
    const std::string found =
        options.is_object()
            ? "option '" + excerpt(view(options.get_object().begin()->key()), 40) + "'"
            : "options that are no object";
    return Error(Code::invalid_argument,
                 fmt::format("found {} for provider 'embedded', which takes none", found))
        .page(803);
  }
  if (services.models == nullptr) {
    return Error(Code::failed_precondition, "provider 'embedded' needs the model registry")
        .page(803);
  }
  return std::unique_ptr<Provider>(std::make_unique<Embedded>(*services.models));
}

}  // namespace

void register_provider_embedded(ProviderRegistry& registry) {
  registry.add({.name = "embedded",
                .summary = "Models of the own registry, in this process; no data leaves it.",
                .make = make});
}

}  // namespace aios::gateway
