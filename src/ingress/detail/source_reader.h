// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/detail/source_reader: one file sources/*.yaml, read by the form of its kind.

#include "ingress/sources.h"

namespace aios::ingress {

inline constexpr int page_source = 1220;  ///< a source's file is not right

class SourceReader {
 public:
  /// Both outlive it.
  SourceReader(const SourceRegistry& registry, const TenantId& tenant, const JsonObject& params);
  /// Adds every problem and every secret it names to `out`. Null: there was a problem.
  SourcePtr read(const SourceFile& file, CheckedSources* out) const;

 private:
  const SourceRegistry& registry_;
  const TenantId& tenant_;
  Json params_;
};

}  // namespace aios::ingress
