// SPDX-License-Identifier: Apache-2.0
#include "ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace aios::sim {
namespace {

constexpr std::uint32_t page_rows = 500;

std::string text_of(const std::tuple<std::string, store::StreamKind, std::string>& name) {
  return fmt::format("{} {} of {}", store::name_of(std::get<1>(name)), std::get<2>(name),
                     std::get<0>(name));
}

std::pair<std::string, std::string> key_name(const store::Transition& transition,
                                             const store::KeyClaim& claim) {
  return {transition.tenant.text(), claim.space + '\0' + claim.key};
}

Context of_tenant(const std::string& tenant) {
  return system_context(*TenantId::parse(tenant), "ledger");
}

}  // namespace

void Ledger::opened(std::uint64_t epoch) {
  if (epoch <= epoch_) {
    violate_(fmt::format("[epoch] the store was opened in epoch {} after {}", epoch, epoch_));
  }
  ++life_;
  epoch_ = epoch;
  sequence_ = 0;
}

std::shared_ptr<Flight> Ledger::begin(store::Transition transition) {
  auto flight = std::make_shared<Flight>();
  flight->transition = std::move(transition);
  flight->life = life_;
  flight->epoch = epoch_;
  flying_.push_back(flight);
  return flight;
}

void Ledger::refused(const std::shared_ptr<Flight>& flight, bool sure) {
  if (sure) {
    std::erase(flying_, flight);
  }
}

void Ledger::committed(const std::shared_ptr<Flight>& flight, const store::Committed& answer) {
  ++acknowledged_;
  if (flight->fate == Flight::Fate::absent) {
    violate_(fmt::format("[durable] transition {} was acknowledged, and is gone after the crash",
                         answer.sequence));
  }
  if (flight->fate != Flight::Fate::open) {
    return;  // an answer that came late: what it says was found
  }
  std::erase(flying_, flight);
  std::erase(doubted_now_, flight);
  const store::Transition& transition = flight->transition;
  if (transition.epoch != flight->epoch) {
    violate_(fmt::format("[epoch] a writer of epoch {} changed the store in epoch {}",
                         transition.epoch, flight->epoch));
  }
  if (flight->life == life_ && sequence_ != 0 && answer.sequence <= sequence_) {
    violate_(
        fmt::format("[order] transition {} was answered after {}", answer.sequence, sequence_));
  }
  sequence_ = flight->life == life_ ? answer.sequence : sequence_;
  check_versions(transition);
  check_rest(transition, answer);
  note(transition);
  note_leaves(transition, answer.first_leaf);
  for (std::size_t i = 0; i < answer.outbox_ids.size(); ++i) {
    outbox_[answer.outbox_ids[i]] = transition.outbox[i].data.bytes;
  }
}

void Ledger::check_versions(const store::Transition& transition) {
  for (const auto& write : transition.streams) {
    const Name name{transition.tenant.text(), write.kind, write.id};
    const auto known = streams_.find(name);
    const std::uint64_t version = known == streams_.end() ? 0 : known->second.version;
    if (version != write.expected_version) {
      violate_(fmt::format("[version] {} was at version {}, and one was taken that expected {}",
                           text_of(name), version, write.expected_version));
    }
  }
}

void Ledger::check_rest(const store::Transition& transition, const store::Committed& answer) {
  for (const auto& claim : transition.keys) {
    if (keys_.contains(key_name(transition, claim))) {
      violate_(
          fmt::format("[key] '{}' of {} was claimed twice", claim.key, transition.tenant.text()));
    }
  }
  auto after = budgets_;
  for (const auto& move : transition.budgets) {
    auto& balance = after[{transition.tenant.text(), move.account}];
    balance += move.amount_nano;
    if (move.amount_nano > 0 && balance > move.limit_nano) {
      violate_(fmt::format("[budget] '{}' holds {}, its limit is {}", move.account, balance,
                           move.limit_nano));
    }
  }
  const auto next = leaves_[transition.tenant.text()].size();
  if (!transition.leaves.empty() && answer.first_leaf != next) {
    violate_(fmt::format("[audit] leaf {} of {} follows {} others", answer.first_leaf,
                         transition.tenant.text(), next));
  }
}

void Ledger::note(const store::Transition& transition) {
  for (const auto& write : transition.streams) {
    Stream& stream = streams_[{transition.tenant.text(), write.kind, write.id}];
    stream.version = write.expected_version + 1;
    stream.status = write.status;
    stream.label = write.label;
    stream.wake_at = write.wake_at;
    stream.end = write.end;
    if (write.state) {
      stream.state = write.state->bytes;
    }
    for (const auto& event : write.history) {
      stream.history.push_back({stream.version, event.type, event.data.bytes});
    }
  }
  for (const auto& claim : transition.keys) {
    keys_[key_name(transition, claim)] = {claim, transition.tenant.text()};
  }
  for (const auto& move : transition.budgets) {
    budgets_[{transition.tenant.text(), move.account}] += move.amount_nano;
  }
  for (const auto id : transition.outbox_done) {
    outbox_.erase(id);
  }
}

void Ledger::note_leaves(const store::Transition& transition, std::uint64_t first) {
  auto& all = leaves_[transition.tenant.text()];
  all.resize(std::max<std::size_t>(all.size(), first + transition.leaves.size()));
  for (std::size_t i = 0; i < transition.leaves.size(); ++i) {
    all[first + i] = transition.leaves[i].bytes;
  }
}

std::set<Ledger::Name> Ledger::names() const {
  std::set<Name> out;
  for (const auto& [name, stream] : streams_) {
    out.insert(name);
  }
  for (const auto& flight : doubted_now_) {
    for (const auto& write : flight->transition.streams) {
      out.insert({flight->transition.tenant.text(), write.kind, write.id});
    }
  }
  return out;
}

Ledger::Found Ledger::read(store::Store& store, runtime::SimExecutor& executor) {
  Found out;
  for (const Name& name : names()) {
    const auto& [tenant, kind, id] = name;
    auto row = executor.run(store.stream(of_tenant(tenant), kind, id));
    if (!row.ok()) {
      if (row.error().code() != Code::not_found) {
        violate_(fmt::format("[durable] {} cannot be read: {}", text_of(name), row.error().text()));
      }
      continue;
    }
    Stream& stream = out.streams[name];
    stream.version = row->version;
    stream.status = row->status;
    stream.label = row->label;
    stream.wake_at = row->wake_at;
    stream.end = row->end;
    stream.state = row->state;
    auto history = executor.run(store.history(of_tenant(tenant), kind, id));
    if (!history.ok()) {
      violate_(fmt::format("[history] of {}: {}", text_of(name), history.error().text()));
      continue;
    }
    for (const auto& line : *history) {
      stream.history.push_back({line.version, line.type, line.data});
    }
  }
  return out;
}

/// Whether several in doubt would have written that version: then a look at the stream does not say
/// which.
bool Ledger::contested(const Name& name, std::uint64_t expected) const {
  std::size_t writers = 0;
  for (const auto& flight : doubted_now_) {
    for (const auto& write : flight->transition.streams) {
      writers += Name{flight->transition.tenant.text(), write.kind, write.id} == name &&
                         write.expected_version == expected
                     ? 1
                     : 0;
    }
  }
  return writers > 1;
}

/// What nobody was told of is in the store whole, or not at all.
void Ledger::judge(const Found& found) {
  for (const auto& flight : doubted_now_) {
    judge(found, flight.get());
    ++doubted_;
    survived_ += flight->fate == Flight::Fate::applied ? 1 : 0;
  }
}

void Ledger::judge(const Found& found, Flight* flight) const {
  std::size_t there = 0, missing = 0, unsure = 0;
  for (const auto& write : flight->transition.streams) {
    const Name name{flight->transition.tenant.text(), write.kind, write.id};
    const auto known = streams_.find(name);
    const auto stream = found.streams.find(name);
    if (known != streams_.end() && known->second.version > write.expected_version) {
      ++missing;  // another one had written that version, and was told so
    } else if (stream == found.streams.end() || stream->second.version <= write.expected_version) {
      ++missing;
    } else if (contested(name, write.expected_version)) {
      ++unsure;
    } else {
      ++there;
    }
  }
  if (there > 0 && missing > 0) {
    violate_(fmt::format("[whole] of a transition of {} streams {} were written and {} not",
                         flight->transition.streams.size(), there, missing));
  }
  flight->fate = there > 0                    ? Flight::Fate::applied
                 : missing > 0 || unsure == 0 ? Flight::Fate::absent
                                              : Flight::Fate::unsure;
}

/// False: somebody's transition may be there or not, and nothing tells.
bool Ledger::all_known(const std::string& tenant) const {
  return std::none_of(doubted_now_.begin(), doubted_now_.end(), [&](const auto& flight) {
    return flight->fate == Flight::Fate::unsure && flight->transition.tenant.text() == tenant;
  });
}

void Ledger::compare_stream(const Name& name, const Stream& known, const Stream& found) {
  std::uint64_t reachable = known.version;
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& flight : doubted_now_) {
      for (const auto& write : flight->transition.streams) {
        if (Name{flight->transition.tenant.text(), write.kind, write.id} == name &&
            write.expected_version == reachable) {
          ++reachable;
          moved = true;
        }
      }
    }
  }
  if (found.version < known.version || found.version > reachable) {
    violate_(fmt::format("[durable] {} is at version {}, {} were acknowledged and {} possible",
                         text_of(name), found.version, known.version, reachable));
    return;
  }
  const bool same = found.status == known.status && found.label == known.label &&
                    found.wake_at == known.wake_at && found.end == known.end &&
                    found.state == known.state;
  if (found.version == known.version && !same) {
    violate_(
        fmt::format("[durable] {} is at version {} and another than was acknowledged: {} for {}",
                    text_of(name), found.version, found.status, known.status));
  }
  std::vector<Line> before;
  std::uint64_t last = 0;
  for (const Line& line : found.history) {
    if (line.version < last || line.version > found.version) {
      violate_(
          fmt::format("[history] of {} goes from {} to {}", text_of(name), last, line.version));
    }
    last = line.version;
    if (line.version <= known.version) {
      before.push_back(line);
    }
  }
  if (before != known.history) {
    violate_(fmt::format("[history] of {} has {} lines up to version {}, {} were acknowledged",
                         text_of(name), before.size(), known.version, known.history.size()));
  }
}

void Ledger::compare(store::Store& store, runtime::SimExecutor& executor) {
  const auto later = std::find_if(flying_.begin(), flying_.end(),
                                  [&](const auto& flight) { return flight->life == life_; });
  doubted_now_.assign(flying_.begin(), later);
  flying_.erase(flying_.begin(), later);
  const Found found = read(store, executor);
  judge(found);
  for (const auto& [name, known] : streams_) {
    const auto at = found.streams.find(name);
    if (at == found.streams.end()) {
      violate_(fmt::format("[durable] {} was acknowledged and is gone", text_of(name)));
    } else {
      compare_stream(name, known, at->second);
    }
  }
  streams_ = found.streams;
  compare_keys(store, executor);
  compare_budgets(store, executor);
  compare_leaves(store, executor);
  compare_outbox(store, executor);
  doubted_now_.clear();
}

void Ledger::compare_keys(store::Store& store, runtime::SimExecutor& executor) {
  for (const auto& flight : doubted_now_) {
    for (const auto& claim : flight->transition.keys) {
      if (flight->fate == Flight::Fate::applied) {
        keys_[key_name(flight->transition, claim)] = {claim, flight->transition.tenant.text()};
      }
    }
  }
  for (const auto& [name, key] : keys_) {
    const auto kept = executor.run(store.key(of_tenant(key.tenant), key.claim));
    if (!kept.ok() || !*kept || (*kept)->value != key.claim.value || !(*kept)->same_request) {
      violate_(fmt::format("[durable] key '{}' was claimed for '{}' and {}", key.claim.key,
                           key.claim.value,
                           kept.ok() && *kept ? "is of '" + (*kept)->value + "'" : "is gone"));
    }
  }
}

void Ledger::compare_budgets(store::Store& store, runtime::SimExecutor& executor) {
  for (const auto& flight : doubted_now_) {
    for (const auto& move : flight->transition.budgets) {
      auto& balance = budgets_[{flight->transition.tenant.text(), move.account}];
      balance += flight->fate == Flight::Fate::applied ? move.amount_nano : 0;
    }
  }
  for (auto& [name, balance] : budgets_) {
    const auto found = executor.run(store.budget(of_tenant(name.first), name.second));
    if (found.ok() && !all_known(name.first)) {
      balance = *found;
    }
    if (!found.ok() || *found != balance) {
      violate_(fmt::format("[budget] '{}' of {} holds {}, {} were acknowledged", name.second,
                           name.first, found.ok() ? *found : -1, balance));
    }
  }
}

/// Those of the others must not be among them: a leaf of the simulation names its tenant's runs.
void Ledger::compare_leaves(store::Store& store, runtime::SimExecutor& executor) {
  for (const auto& flight : doubted_now_) {
    leaves_.try_emplace(flight->transition.tenant.text());
  }
  for (auto& [tenant, known] : leaves_) {
    std::vector<std::string> found;
    for (;;) {
      auto part = executor.run(store.leaves(of_tenant(tenant), found.size(), page_rows));
      if (!part.ok() || part->empty()) {
        break;
      }
      found.insert(found.end(), part->begin(), part->end());
    }
    const auto count = executor.run(store.leaf_count(of_tenant(tenant)));
    std::size_t wanted = known.size();
    for (const auto& flight : doubted_now_) {
      if (flight->transition.tenant.text() == tenant && flight->fate == Flight::Fate::applied) {
        wanted += flight->transition.leaves.size();
      }
    }
    if (!count.ok() || *count != found.size() || (found.size() != wanted && all_known(tenant))) {
      violate_(fmt::format("[audit] {} has {} leaves, {} are counted and {} wanted", tenant,
                           found.size(), count.ok() ? *count : 0, wanted));
    }
    for (std::size_t i = 0; i < std::min(known.size(), found.size()); ++i) {
      if (found[i] != known[i]) {
        violate_(
            fmt::format("[audit] leaf {} of {} is not the one that was acknowledged", i, tenant));
        break;
      }
    }
    known = std::move(found);
  }
}

void Ledger::compare_outbox(store::Store& store, runtime::SimExecutor& executor) {
  for (const auto& flight : doubted_now_) {
    for (const auto id : flight->transition.outbox_done) {
      if (flight->fate != Flight::Fate::absent) {  // of one that may be there nothing is asked
        outbox_.erase(id);
      }
    }
  }
  std::map<std::uint64_t, std::string> found;
  auto rows = executor.run(store.outbox(of_tenant(default_tenant().text()), 0, page_rows));
  for (const auto& row : rows.ok() ? *rows : std::vector<store::OutboxRow>()) {
    found[row.id] = row.data;
  }
  for (const auto& [id, data] : outbox_) {
    const auto at = found.find(id);
    if (at == found.end() || at->second != data) {
      violate_(fmt::format("[durable] message {} was acknowledged and is {}", id,
                           at == found.end() ? "gone" : "another"));
    }
  }
  outbox_ = std::move(found);
}

}  // namespace aios::sim
