// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/serving: what serves which alias, as a snapshot that is replaced whole: a reader
// takes one shared_ptr and waits for nobody's load or promotion. Thread-safe.

#include "core/result.h"
#include "models/models.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::models::detail {

struct ServingEntry {
  AliasInfo info;
  std::uint64_t revision = 0;  ///< the alias's stream version
  std::shared_ptr<const Model> model;
  std::optional<Error> unreadable;  ///< set when there is no model
  bool removed = false;             ///< it serves no more; kept for its revision and what it served
};

class ServingTable {
 public:
  ServingTable();
  /// An older revision than the one in place changes nothing.
  void set(const TenantId& tenant, ServingEntry entry);
  std::vector<AliasInfo> aliases(const TenantId& tenant) const;
  /// Also of an alias that was taken away: what it served last. Nothing: it never served.
  std::optional<AliasInfo> last(const TenantId& tenant, std::string_view alias) const;
  Result<Models::Serving> find(const TenantId& tenant, std::string_view alias) const;
  /// A loaded model of that version, null when none.
  std::shared_ptr<const Model> loaded(const TenantId& tenant, std::string_view model,
                                      std::uint32_t version) const;

 private:
  using Aliases = std::map<std::string, ServingEntry, std::less<>>;
  using Snapshot = std::map<TenantId, Aliases>;
  std::shared_ptr<const Snapshot> snapshot() const;

  std::mutex writers_;
  std::atomic<std::shared_ptr<const Snapshot>> snapshot_;
};

}  // namespace aios::models::detail
