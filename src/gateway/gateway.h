// SPDX-License-Identifier: Apache-2.0
#pragma once
// gateway/gateway: every use of a model passes here: find the alias, ask the guard before (with what personal data the
// text really holds), call the provider with the Permit, ask the guard after, make the audit leaf.
// The caller commits the leaves with its own transition: no call without a leaf, no leaf without a call.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "govern/guard.h"
#include "models/models.h"
#include "observe/metrics.h"
#include "runtime/task.h"
#include "store/transition.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::gateway {

struct InferRequest {
  std::string alias;
  Json input;          ///< an object; classification takes {"text": "..."}
  JsonObject run;      ///< governance memory of the run for the guard: see docs/guide/policy-inputs.md; empty outside runs
  std::string stream;  ///< the run's or the call's id, for the leaf
  std::string step;
};

struct InferAnswer {
  Json output;                          ///< {label, confidence, version, reasons, scores}
  std::vector<store::AuditLeaf> leaves; ///< commit them with the result
};

/// What a provider is given; only with a Permit for pre_model_call.
struct ProviderCall {
  std::string alias;
  Json input;
};
struct ProviderAnswer {
  Json output;
  std::string model;    ///< name
  std::string version;
};

/// One family of model servers (providers/*.cc). Threading: any shard.
class Provider {
 public:
  virtual ~Provider() = default;
  virtual std::string_view name() const = 0;
  /// Where the data goes: "local" never leaves this process.
  virtual std::string_view region() const = 0;
  /// What would serve the alias, for the guard; not_found when it is not this provider's.
  virtual Result<std::pair<std::string, std::string>> resolve(const Context& ctx, std::string_view alias) = 0;
  virtual Task<Result<ProviderAnswer>> complete(Context ctx, govern::Permit permit, ProviderCall call) = 0;
};
struct ProviderServices {
  models::Models* models = nullptr;
};
struct ProviderEntry {
  std::string name;
  std::string summary;
  std::function<Result<std::unique_ptr<Provider>>(const ProviderServices&, const Json& options)> make;
};
class ProviderRegistry {
 public:
  void add(ProviderEntry entry) { entries_.push_back(std::move(entry)); }
  const std::vector<ProviderEntry>& entries() const { return entries_; }

 private:
  std::vector<ProviderEntry> entries_;
};
void register_all_providers(ProviderRegistry& registry);

class Gateway {
 public:
  Gateway(const govern::Guard& guard, models::Models& models, observe::Metrics& metrics, runtime::Clock& clock);
  ~Gateway();
  /// policy_denied with the refusal's leaf lost? No: a refusal is a leaf too, see `refused`.
  /// @param refused  gets the leaf of a refused call; commit it with the error's handling.
  Task<Result<InferAnswer>> infer(Context ctx, InferRequest request, std::vector<store::AuditLeaf>* refused);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::gateway
