// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/kept_checkpoints.h"

#include "core/text.h"
#include "govern/detail/tenant_log.h"
#include "govern/merkle.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace aios::govern::detail {
namespace {

Error not_continued(std::string message) {
  return Error(Code::failed_precondition, std::move(message)).page(523);
}

std::string short_root(const Digest& root) { return to_hex(view(root)).substr(0, 16); }

Error too_long(const std::string& name, std::uint64_t kept, std::uint64_t found) {
  return not_continued(fmt::format(
      "the log has {} leaves, the checkpoint {} has {}: {} leaves are gone; the log was "
      "truncated, or an older copy of the directory was put back",
      found, name, kept, kept - found));
}

}  // namespace

Result<KeptHeads> KeptHeads::open(const std::vector<KeptCheckpoint>& kept, const VerifierKey& key,
                                  const Checkpoint& head, LogFault& fault) {
  KeptHeads out;
  for (const KeptCheckpoint& one : kept) {
    auto opened = open_checkpoint(one.note, key);
    if (!opened.ok()) {
      return std::move(opened).error().with(fmt::format("reading the checkpoint {}", one.name));
    }
    if (opened->origin != head.origin) {
      return not_continued(fmt::format("the checkpoint {} is of log '{}', this log is '{}'",
                                       one.name, opened->origin, head.origin));
    }
    if (opened->size == 0 && opened->root != empty_root()) {
      return not_continued(fmt::format("the checkpoint {} has no leaves, but a root", one.name));
    }
    out.heads_.push_back({one.name, std::move(*opened), true, {}});
  }
  std::sort(out.heads_.begin(), out.heads_.end(), [](const Head& a, const Head& b) {
    return std::tie(a.checkpoint.size, a.name) < std::tie(b.checkpoint.size, b.name);
  });
  for (std::size_t i = 1; i < out.heads_.size(); ++i) {
    const Head& one = out.heads_[i - 1];
    const Head& other = out.heads_[i];
    if (one.checkpoint.size == other.checkpoint.size &&
        one.checkpoint.root != other.checkpoint.root) {
      fault = {LogFault::Kind::forked, "", {}};
      return not_continued(fmt::format(
          "the checkpoints {} and {} both have {} leaves and have two roots: the key signed two "
          "histories",
          one.name, other.name, one.checkpoint.size));
    }
  }
  if (!out.heads_.empty() && out.heads_.back().checkpoint.size > head.size) {
    fault = {LogFault::Kind::truncated, "checkpoint", head.size};
    return too_long(out.heads_.back().name, out.heads_.back().checkpoint.size, head.size);
  }
  return out;
}

void KeptHeads::look(std::uint64_t size, const std::function<Digest()>& root) {
  while (next_ < heads_.size() && heads_[next_].checkpoint.size <= size) {
    Head& head = heads_[next_++];
    if (head.checkpoint.size == size) {
      head.found = root();
      head.fits = head.found == head.checkpoint.root;
    }
  }
}

std::optional<Error> KeptHeads::fork() const {
  for (const Head& head : heads_) {
    if (!head.fits) {
      return not_continued(fmt::format(
          "the first {} leaves lead to root {}..., the checkpoint {} has {}...: the log is not its "
          "continuation but a fork{}",
          head.checkpoint.size, short_root(head.found), head.name, short_root(head.checkpoint.root),
          where_it_parts()));
    }
  }
  return {};
}

std::string KeptHeads::where_it_parts() const {
  const auto odd = std::find_if(heads_.begin(), heads_.begin() + static_cast<std::ptrdiff_t>(next_),
                                [](const Head& head) { return !head.fits; });
  const auto compared = heads_.begin() + static_cast<std::ptrdiff_t>(next_);
  std::string said;
  if (odd != heads_.begin()) {
    const Head& good = *(odd - 1);
    said = fmt::format("; the first {} leaves are those of {}", good.checkpoint.size, good.name);
  }
  if (odd != compared && !said.empty()) {
    said += fmt::format(", so the first other leaf is one of {} to {}", (odd - 1)->checkpoint.size,
                        odd->checkpoint.size - 1);
  }
  return said;
}

Result<std::vector<Continued>> KeptHeads::prove(const Checkpoint& head,
                                                const ReadTile& read) const {
  std::vector<Continued> out;
  for (const Head& kept : heads_) {
    const Checkpoint& older = kept.checkpoint;
    Continued one{kept.name, older.size, to_hex(view(older.root)), {}};
    if (older.size != 0) {
      auto proof = prove_consistency(head.size, older.size, read);
      if (!proof.ok()) {
        return std::move(proof).error();
      }
      auto shown = verify_consistency({older.size, older.root}, {head.size, head.root}, *proof);
      if (!shown.ok()) {
        return std::move(shown).error().with(
            fmt::format("proving that the log continues {}", kept.name));
      }
      one.proof = std::move(*proof);
    }
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace aios::govern::detail
