// SPDX-License-Identifier: Apache-2.0
#include "models/models.h"

namespace aios::models {

void EngineRegistry::add(EngineEntry entry) {
  std::string name = entry.name;
  const bool fresh = entries_.emplace(std::move(name), std::move(entry)).second;
  AIOS_ASSERT(fresh);  // two files with one name: a mistake in the program
}

void EngineRegistry::add(EmbeddingEntry entry) {
  std::string name = entry.name;
  const bool fresh = embeddings_.emplace(std::move(name), std::move(entry)).second;
  AIOS_ASSERT(fresh);
}

const EmbeddingEntry* EngineRegistry::find_embedding(std::string_view name) const {
  const auto at = embeddings_.find(name);
  return at == embeddings_.end() ? nullptr : &at->second;
}

const EngineEntry* EngineRegistry::find(std::string_view name) const {
  const auto at = entries_.find(name);
  return at == entries_.end() ? nullptr : &at->second;
}

std::vector<std::string> EngineRegistry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    names.push_back(name);
  }
  return names;
}

}  // namespace aios::models
