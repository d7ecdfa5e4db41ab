// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/bundle_policy: one tenant's policies as loaded: compiled rules, what they read, the
// decisions kept. Immutable but for its cache; replaced as a whole.

#include "core/context.h"
#include "core/json.h"
#include "govern/detail/decision_cache.h"
#include "govern/detail/reads.h"
#include "govern/detail/rego.h"
#include "govern/detail/verdict.h"
#include "govern/guard.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace aios::govern::detail {

/// What `input` holds besides the point's own facts.
struct Asked {
  const Context& ctx;
  GuardPoint point;
  const std::string& region;
  const JsonObject& facts;
};

class BundlePolicy {
 public:
  /// Errors: see Guard::load.
  static Result<std::shared_ptr<BundlePolicy>> load(const std::vector<PolicyFile>& files,
                                                    const Json& params);
  /// @param hit  set to whether the answer was known.
  std::shared_ptr<const PolicyAnswer> find(const Asked& asked, bool& hit);
  const std::string& digest() const { return digest_; }
  const Rego& rego() const { return *rego_; }

 private:
  std::shared_ptr<const PolicyAnswer> evaluate(const Asked& asked) const;
  bool stands_in_text(const std::string& reason) const;
  void append_key(const Asked& asked, std::string& key) const;

  std::shared_ptr<const Rego> rego_;
  std::string digest_;
  std::string texts_;  ///< of all files that run
  Reads reads_;
  std::array<bool, guard_points.size() + 1> has_point_{};  ///< by point
  DecisionCache cache_;
};

/// The whole `input`; the guard's own members win over facts of the same name.
JsonObject input_of(const Asked& asked);
/// Canonical JSON (plain JSON where canonical JSON cannot hold it).
std::string image_of(const Json& value);
/// True when the file is run by tests only.
bool is_test_file(const PolicyFile& file);
/// {"params": params}; an empty object when params is null.
JsonObject data_of(const Json& params);

}  // namespace aios::govern::detail
