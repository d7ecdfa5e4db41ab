// SPDX-License-Identifier: Apache-2.0
#pragma once
// scenario/detail/outside: systems and models that answer as they are told, and remember what they
// were asked. What nothing was told for is remembered too: it fails the scenario.

#include "core/json.h"
#include "gateway/gateway.h"
#include "net/client.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aios::scenario {

/// Answers by what is asked, in the order told; the last answer is given again and again. A name
/// may hold stars, each for any characters, where the exact one is not there.
class Script {
 public:
  /// @param told  an object: name -> one answer, or a list of them; null: nothing.
  explicit Script(const Json* told);
  struct Told {
    std::string name;  ///< as it was told
    const Json* answer = nullptr;
  };
  /// Without an answer when nothing was told for it.
  Told next(const std::string& asked);
  bool knows(const std::string& asked) { return find(asked) != told_.end(); }
  std::vector<std::string> names() const;

 private:
  struct Answers {
    std::vector<Json> list;
    std::size_t given = 0;
  };
  std::map<std::string, Answers>::iterator find(const std::string& asked);
  std::map<std::string, Answers> told_;
};

/// What was asked and not told, one sentence each.
using Unscripted = std::vector<std::string>;

/// Business systems: asked by "METHOD /path?query", whatever their origin, or by the whole URL.
class ScriptedSystems final : public net::Client {
 public:
  ScriptedSystems(const Json* told, Unscripted* unscripted)
      : script_(told),
        unscripted_(unscripted) {}
  Task<Result<net::Response>> send(Context ctx, net::ClientRequest request) override;
  /// [{"POST /refunds": <body>}, ...]; a request without a body is a text. The name is the one that
  /// was told.
  JsonArray requests;

 private:
  Script script_;
  Unscripted* unscripted_;
};

/// Models by alias, in this process.
class ScriptedModels final : public gateway::Provider {
 public:
  ScriptedModels(const Json* told, Unscripted* unscripted)
      : script_(told),
        unscripted_(unscripted) {}
  std::string_view name() const override { return "scripted"; }
  std::string_view region() const override { return "local"; }
  Result<std::pair<std::string, std::string>> resolve(const Context& ctx,
                                                      std::string_view alias) override;
  Task<gateway::ProviderReply> complete(Context ctx, govern::Permit permit,
                                        gateway::ProviderCall call) override;

 private:
  Script script_;
  Unscripted* unscripted_;
};

/// Every registered provider, whose calls are answered as the scenario tells the models: in the
/// region and at the price of the bundle, using the tokens of the answer's `usage` (none). An
/// answer {unavailable: true} stands for a server that is not there.
gateway::ProviderRegistry scripted_providers(const Json* told, Unscripted* unscripted);

}  // namespace aios::scenario
