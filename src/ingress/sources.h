// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/sources: the sources that a tenant's bundle declares (sources/*.yaml), and how what
// arrives there becomes a CloudEvent. Form: docs/guide/sources.md. Threading: any.

#include "core/staged.h"
#include "ingress/delivery.h"
#include "ingress/source.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace aios::ingress {

struct SourceFile {
  std::string path;
  std::string text;
};
/// A secret that a source names, and where.
struct SourceSecret {
  std::string name;
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};
struct CheckedSources {
  std::vector<SourcePtr> sources;  ///< those that are right
  std::vector<SourceSecret> secrets;
  std::vector<Error> errors;  ///< [AIOS-1220], or [AIOS-0107] of an expression, each with its place
};

class Sources {
 public:
  static constexpr std::size_t per_tenant_max = 200;

  static CheckedSources check(const TenantId& tenant, const std::vector<SourceFile>& files,
                              const JsonObject& params);
  /// Replaces the tenant's sources, or none of them on errors.
  Staged stage(const TenantId& tenant, const std::vector<SourceFile>& files,
               const JsonObject& params);
  /// Whether it can work on a server that watches folders below `watch_root`.
  /// @return failed_precondition [AIOS-1210].
  static Result<void> ready(const DeclaredSource& source, const std::string& watch_root);
  SourcePtr find(const TenantId& tenant, std::string_view name) const;
  /// Of all tenants.
  std::vector<SourcePtr> of_kind(std::string_view kind) const;
  std::vector<SourcePtr> of_tenant(const TenantId& tenant) const;

 private:
  using Named = std::map<std::string, SourcePtr, std::less<>>;
  mutable std::mutex mutex_;
  std::map<TenantId, Named> tenants_;
};

/// The event of an arrival. What the mapping cannot make one of, and what does not fit the source's
/// schema, is a delivery all the same: with `unfit`, to be kept.
Delivery delivery_of(const DeclaredSource& source, Arrival arrival, Time now);

/// Type of what stands for an arrival that no event can be made of.
inline constexpr std::string_view unmapped_type = "aios.source.unmapped";

}  // namespace aios::ingress
