// SPDX-License-Identifier: Apache-2.0
// Sentences about sealing and about destroying keys.
#include "store/test/subject.h"

#include <fmt/format.h>

namespace aios::store::testing {
namespace {

void write_of(Subject& subject, const std::string& id, const std::string& who,
              std::uint64_t version = 0) {
  Transition out = subject.transition();
  out.streams.push_back(write(id, version, "state of " + who, "running", who));
  out.outbox.push_back({"topic", id, {who, "message of " + who}});
  subject.must_commit(out);
}

std::uint64_t erase(Subject& subject, const std::string& who, const std::string& tenant = "acme") {
  auto erased = subject.run(subject.store().erase_subject(subject.context(tenant), who));
  if (!erased.ok()) {
    FAIL(erased.error().text());
  }
  return *erased;
}

void an_erased_subject_is_unreadable(Subject& subject) {
  write_of(subject, "run_a", "ann");
  subject.reopen();
  write_of(subject, "run_a", "ann", 1);
  write_of(subject, "run_b", "bob");
  CHECK(erase(subject, "ann") == 1);
  CHECK(erase(subject, "ann") == 0);
  CHECK(erase(subject, "nobody") == 0);
  for (int round = 0; round < 3; ++round) {
    const StreamRow gone = subject.stream("run_a");
    CHECK(gone.erased);
    CHECK(gone.state.empty());
    CHECK(gone.status == "running");  // what stands in clear stays
    CHECK(subject.history("run_a") == std::vector<std::string>{"1:7!", "2:7!"});
    CHECK(subject.stream("run_b").state == "state of bob");
    CHECK(subject.history("run_b") == std::vector<std::string>{"1:7:line of state of bob"});
    auto messages = subject.run(subject.store().outbox(subject.context(), 0, 10)).value();
    REQUIRE(messages.size() == 3);
    CHECK(messages[0].erased);
    CHECK(messages[0].data.empty());
    CHECK(messages[2].data == "message of bob");
    round == 0 ? subject.crash() : subject.reopen();
  }
}

void search_attributes_of_an_erased_subject_are_gone(Subject& subject) {
  const auto entry = [](const std::string& id, const std::string& who) {
    StreamWrite out;
    out.kind = StreamKind::search_attribute;
    out.id = id;
    out.state = Payload{who, "1"};
    out.end = StreamEnd::closed;
    return out;
  };
  Transition out = subject.transition();
  out.streams.push_back(entry("tier\x1fsgold\x1frun_a", "ann"));
  out.streams.push_back(entry("tier\x1fsgold\x1frun_b", "bob"));
  out.streams.push_back(entry("tier\x1fsgold\x1frun_c", ""));
  subject.must_commit(out);
  Transition other = subject.transition("globex");
  other.streams.push_back(entry("tier\x1fsgold\x1frun_d", "ann"));
  subject.must_commit(other);
  CHECK(erase(subject, "ann") == 1);
  ListQuery query;
  query.kind = StreamKind::search_attribute;
  for (int round = 0; round < 2; ++round) {
    CHECK(subject.ids(query) ==
          std::vector<std::string>{"tier\x1fsgold\x1frun_b", "tier\x1fsgold\x1frun_c"});
    CHECK(subject.run(subject.store().count(subject.context("globex"), query)).value() == 1);
    subject.crash();
  }
}

void an_erased_subject_may_come_back(Subject& subject) {
  write_of(subject, "run_a", "ann");
  CHECK(erase(subject, "ann") == 1);
  write_of(subject, "run_b", "ann");
  for (int round = 0; round < 2; ++round) {
    CHECK(subject.stream("run_a").erased);
    CHECK(subject.stream("run_b").state == "state of ann");
    subject.crash();
  }
  CHECK(erase(subject, "ann") == 1);
  CHECK(subject.stream("run_b").erased);
}

void erasing_reaches_closed_streams(Subject& subject) {
  for (std::uint64_t version = 0; version < 6; ++version) {
    Transition out = subject.transition();
    out.streams.push_back(write("run_a", version, std::string(200, 'p'), "running", "ann"));
    out.streams.back().end = version == 5 ? StreamEnd::closed : StreamEnd::open;
    subject.must_commit(out);
  }
  subject.reopen();
  CHECK(subject.history("run_a").size() == 6);
  CHECK(erase(subject, "ann") == 1);
  const std::vector<std::string> lines = subject.history("run_a");
  REQUIRE(lines.size() == 6);
  CHECK(lines[5] == "6:7!");
  // Folding a stream whose earlier lines are erased keeps what is left.
  Transition out = subject.transition();
  out.streams.push_back(write("run_a", 6, "afterwards"));
  out.streams.back().end = StreamEnd::closed;
  subject.must_commit(out);
  subject.reopen();
  CHECK(subject.history("run_a").size() == 7);
  CHECK(subject.history("run_a").back() == "7:7:line of afterwards");
}

void the_same_name_in_two_tenants_is_two_subjects(Subject& subject) {
  write_of(subject, "run_a", "ann");
  CHECK(erase(subject, "ann", "globex") == 0);
  CHECK(subject.stream("run_a").state == "state of ann");
}

void an_erased_blob_is_gone_and_can_be_stored_again(Subject& subject) {
  const Payload small{"ann", "small"};
  const Payload large{"ann", std::string(100'000, 'l')};
  std::vector<std::string> names;
  for (const Payload& payload : {small, large}) {
    names.push_back(subject.run(subject.store().put_blob(subject.context(), payload)).value());
  }
  CHECK(erase(subject, "ann") == 1);
  for (const std::string& name : names) {
    auto gone = subject.run(subject.store().blob(subject.context(), name));
    REQUIRE(!gone.ok());
    CHECK(gone.error().code() == Code::not_found);
    CHECK(gone.error().page() == 417);
  }
  CHECK(subject.run(subject.store().put_blob(subject.context(), small)).value() == names[0]);
  CHECK(subject.run(subject.store().put_blob(subject.context(), large)).value() == names[1]);
  subject.crash();
  CHECK(subject.run(subject.store().blob(subject.context(), names[0])).value() == small.bytes);
  CHECK(subject.run(subject.store().blob(subject.context(), names[1])).value() == large.bytes);
}

void thousands_of_subjects_each_have_their_key(Subject& subject) {
  for (int round = 0; round < 4; ++round) {
    std::vector<Transition> many;
    for (int i = 0; i < 150; ++i) {
      const std::string who = fmt::format("person {} {}", round, i);
      many.push_back(subject.transition());
      many.back().streams.push_back(
          write(fmt::format("run_{}_{}", round, i), 0, "of " + who, "running", who));
    }
    for (const auto& answer : subject.commit_together(std::move(many))) {
      REQUIRE(answer.ok());
    }
  }
  CHECK(erase(subject, "person 2 77") == 1);
  subject.reopen();
  CHECK(subject.stream("run_2_77").erased);
  CHECK(subject.stream("run_2_78").state == "of person 2 78");
  CHECK(erase(subject, "person 3 149") == 1);
  CHECK(subject.stream("run_3_149").erased);
}

}  // namespace

std::vector<Sentence> erasure_sentences() {
  return {{"an erased subject's state, history and messages are unreadable for good",
           an_erased_subject_is_unreadable},
          {"erasure: search attributes of an erased subject are gone, for they stand in clear",
           search_attributes_of_an_erased_subject_are_gone},
          {"an erased subject may come back under a new key", an_erased_subject_may_come_back},
          {"erasing reaches closed streams", erasing_reaches_closed_streams},
          {"the same name in two tenants is two subjects",
           the_same_name_in_two_tenants_is_two_subjects},
          {"an erased blob is gone and can be stored again",
           an_erased_blob_is_gone_and_can_be_stored_again},
          {"every subject has a key of its own", thousands_of_subjects_each_have_their_key}};
}

}  // namespace aios::store::testing
