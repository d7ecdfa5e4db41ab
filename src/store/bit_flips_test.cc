// SPDX-License-Identifier: Apache-2.0
// A journal or an archive that is not what was written: rows and frames carry checksums, and none
// is read as if it were true when a bit of it, or of the page around it, is another.
#include "core/codec.h"
#include "store/detail/archive.h"
#include "store/detail/sqlite_journal.h"
#include "store/test/subject.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace aios::store::testing {
namespace {

using namespace aios::store::detail;

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void put_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// With something of everything that is not sealed.
Record record(std::uint64_t number) {
  Record out;
  out.tenant = "acme";
  out.epoch = 1;
  RecordStream stream;
  stream.key = stream_key(StreamKind::run, "acme", fmt::format("run_{}", number));
  stream.expected_version = number;
  stream.status = "running";
  stream.wake_at = Time{1'790'000'000'000'000'000};
  out.streams.push_back(std::move(stream));
  out.keys.push_back({Fingerprint{1, 2, 3}, std::string(33, 'd'), "value"});
  out.budgets.push_back({"eur", 7'000'000'000, 9'000'000'000});
  out.leaves.push_back({fmt::format("leaf {}", number)});
  return out;
}

JournalRow row(std::uint64_t sequence) {
  JournalRow out;
  out.sequence = sequence;
  out.time = Time{1'790'000'000'000'000'000};
  out.first_leaf = 300 + sequence;
  out.body = encode(record(sequence));
  add_checksum(out);
  return out;
}

/// Rows 3 to 5 of a journal of which the others were cut.
void write_journal(const std::string& path) {
  auto journal = SqliteJournal::open(path).value();
  REQUIRE(journal->append({row(3), row(4), row(5)}).ok());
  REQUIRE(journal->sync().ok());
  journal->close();
  REQUIRE(Db::open(path, Access::write).value()->checkpoint(Db::Checkpoint::truncate).value());
}

std::string text_of(const std::vector<JournalRow>& rows) {
  std::string out;
  for (const JournalRow& r : rows) {
    out += fmt::format("{} {} {} {}\n", r.sequence, r.time.ns, r.first_leaf, r.body);
  }
  return out;
}

/// What is read of a journal file: the rows as one text, or the error.
Result<std::string> read(const std::string& path) {
  auto journal = SqliteJournal::open(path);
  if (!journal.ok()) {
    return std::move(journal).error();
  }
  auto rows = (*journal)->rows(0, 100);
  return rows.ok() ? Result<std::string>(text_of(*rows))
                   : Result<std::string>(std::move(rows).error());
}

/// A directory as a kill leaves it: row 1 is in the tables, rows 2 to 21 in the journal alone.
std::string killed_directory(Subject& subject) {
  const std::string directory = subject.options().directory;
  subject.must_commit(subject.transition());
  subject.close();
  const std::string tables = subject.scratch().at("tables-before");
  std::filesystem::copy_file(directory + "/tables.db", tables);
  const std::string killed = subject.scratch().at("killed");
  subject.open();
  std::vector<Transition> many;
  for (int i = 0; i < 20; ++i) {
    many.push_back(subject.transition());
    many.back().streams.push_back(write(fmt::format("run_{}", i), 0, "state"));
    many.back().leaves.push_back({fmt::format("leaf {}", i)});
  }
  for (const auto& answer : subject.commit_together(std::move(many))) {
    REQUIRE(answer.ok());
  }
  std::filesystem::copy(directory, killed, std::filesystem::copy_options::recursive);
  subject.close();
  for (const char* name : {"/tables.db", "/tables.db-wal", "/tables.db-shm"}) {
    std::filesystem::remove(killed + name);
  }
  std::filesystem::copy_file(tables, killed + "/tables.db");
  subject.options().directory = killed;
  return killed;
}

/// What opening the subject's directory is refused with, once `sql` was run on its journal.
std::string refusal_after(Subject& subject, const std::string& sql) {
  {
    auto db = Db::open(subject.options().directory + "/journal.db", Access::write).value();
    REQUIRE(db->run(sql).ok());
  }
  auto refused = subject.try_open();
  REQUIRE_MESSAGE(!refused.ok(), sql);
  CHECK_MESSAGE(refused.error().code() == Code::data_loss, sql);
  CHECK_MESSAGE(refused.error().page() == 426, sql);
  return refused.error().text();
}

}  // namespace

TEST_CASE("journal: each flipped bit of a row is found, in every column") {
  const aios::test::Folder scratch;
  const std::string path = scratch.at("journal.db");
  write_journal(path);
  auto journal = SqliteJournal::open(path).value();
  const auto found = [&] {
    auto rows = journal->rows(0, 100);
    return !rows.ok() && rows.error().code() == Code::data_loss && rows.error().page() == 426 &&
           rows.error().text().find(path) != std::string::npos;
  };
  CHECK(journal->rows(0, 100).value().size() == 3);
  auto db = Db::open(path, Access::write).value();
  const JournalRow good = row(5);
  std::string body = good.body;
  for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
    body[bit / 8] = static_cast<char>(body[bit / 8] ^ 1 << bit % 8);
    REQUIRE(db->prepare("UPDATE journal SET body = ? WHERE sequence = 5").blob(1, body).run().ok());
    CHECK_MESSAGE(found(), "body, bit ", bit);
    body = good.body;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, body.size() - 1}) {
    const std::string cut = body.substr(0, size);
    REQUIRE(db->prepare("UPDATE journal SET body = ? WHERE sequence = 5").blob(1, cut).run().ok());
    CHECK_MESSAGE(found(), "body of ", size, " bytes");
  }
  REQUIRE(db->prepare("UPDATE journal SET body = ? WHERE sequence = 5").blob(1, body).run().ok());
  const std::tuple<const char*, std::int64_t> columns[] = {
      {"time", good.time.ns},
      {"first_leaf", static_cast<std::int64_t>(good.first_leaf)},
      {"sequence", 5}};
  for (const auto& [column, value] : columns) {
    int written = 0;
    for (int bit = 0; bit < 64; ++bit) {
      const auto other =
          static_cast<std::int64_t>(static_cast<std::uint64_t>(value) ^ std::uint64_t{1} << bit);
      const auto set = [&](std::int64_t from, std::int64_t to) {
        return db
            ->prepare(
                fmt::format("UPDATE journal SET {0} = ?1 WHERE {0} = ?2 AND body = ?3", column))
            .integer(1, to)
            .integer(2, from)
            .blob(3, body)
            .run()
            .ok();
      };
      if (!set(value, other)) {  // row 4 has that place
        continue;
      }
      ++written;
      CHECK_MESSAGE(found(), column, ", bit ", bit);
      REQUIRE(set(other, value));
    }
    CHECK(written >= 63);
  }
  CHECK(journal->rows(0, 100).value().size() == 3);
}

TEST_CASE("journal: a flipped byte anywhere in a page of rows is found, or changes nothing") {
  const aios::test::Folder scratch;
  const std::string path = scratch.at("journal.db");
  write_journal(path);
  const std::string good = bytes_of(path);
  const std::string before = read(path).value();
  const std::size_t rows_at = good.find(row(3).body);
  REQUIRE(rows_at != std::string::npos);
  constexpr std::size_t page_bytes = journal_page_bytes;
  const std::size_t page = rows_at / page_bytes * page_bytes;
  std::size_t found = 0;
  for (std::size_t at = page; at < page + page_bytes; ++at) {
    const bool header = at < page + 16;
    if (!header && good[at] == '\0' && good[at - 1] == '\0') {  // between the head and the rows
      continue;
    }
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      std::filesystem::remove(path + "-wal");
      std::filesystem::remove(path + "-shm");
      put_bytes(path, bad);
      auto now = read(path);
      CHECK_MESSAGE((!now.ok() || *now == before), "byte ", at - page, " of the page");
      found += now.ok() ? 0 : 1;
      if (!now.ok()) {
        CHECK(now.error().code() == Code::data_loss);
      }
    }
  }
  CHECK(found > 3 * 3 * row(3).body.size());
}

TEST_CASE("journal: a directory with a damaged row is refused, naming file and row") {
  for (const char* change :
       {"time = time + 1", "first_leaf = first_leaf + 1", "sequence = -sequence",
        "sequence = sequence + 100", "body = zeroblob(length(body))"}) {
    Subject subject(Kind::sqlite);
    const std::string killed = killed_directory(subject);
    const std::string told =
        refusal_after(subject, fmt::format("UPDATE journal SET {} WHERE sequence = 21", change));
    CHECK(told.find("journal row") != std::string::npos);
    CHECK(told.find(killed + "/journal.db") != std::string::npos);
  }
}

TEST_CASE("journal: rows that are missing are found, also all of those that the tables lack") {
  // The last one: tables that are older than what the journal was cut to.
  for (const char* sql :
       {"DELETE FROM journal WHERE sequence = 10", "DELETE FROM journal WHERE sequence <= 10",
        "DELETE FROM journal; INSERT OR REPLACE INTO cut(one, through) VALUES(1, 21)"}) {
    Subject subject(Kind::sqlite);
    (void)killed_directory(subject);
    CHECK(refusal_after(subject, sql).find("the journal lacks rows") != std::string::npos);
  }
}

TEST_CASE("journal: what a kill leaves is whole, and read") {
  Subject subject(Kind::sqlite);
  (void)killed_directory(subject);
  subject.open();
  CHECK(subject.stream("run_19").state == "state");
}

TEST_CASE("journal: in memory, too, a row that was damaged is refused at the start") {
  Subject subject(Kind::memory_inline);
  subject.disk().set_tables_full(true);  // it stays in the journal
  Transition out = subject.transition();
  out.streams.push_back(write("run_a", 0, "x"));
  const std::uint64_t sequence = subject.must_commit(out).sequence;
  subject.close();
  subject.disk().set_tables_full(false);
  REQUIRE(subject.disk().damage_journal(sequence, 3));
  CHECK(!subject.disk().damage_journal(sequence, 100'000));
  auto refused = subject.try_open();
  REQUIRE(!refused.ok());
  CHECK(refused.error().page() == 426);
  REQUIRE(subject.disk().damage_journal(sequence, 3));  // as it was
  subject.open();
  CHECK(subject.stream("run_a").state == "x");
}

TEST_CASE("journal: no backup is made of a row that is damaged") {
  Subject subject(Kind::sqlite);
  const std::string killed = killed_directory(subject);
  subject.open();
  // The tables have taken the rows up by now: one is put behind them that they do not know.
  const std::uint64_t next = subject.store().stats().sequence + 1;
  {
    auto db = Db::open(killed + "/journal.db", Access::write).value();
    JournalRow bad = row(next);
    bad.first_leaf += 1;
    REQUIRE(insert_row(*db, bad).ok());
  }
  auto refused = subject.store().backup(subject.scratch().at("one.bak"));
  REQUIRE(!refused.ok());
  CHECK(refused.error().page() == 426);
  CHECK(!std::filesystem::exists(subject.scratch().at("one.bak")));
  auto db = Db::open(killed + "/journal.db", Access::write).value();
  REQUIRE(db->run(fmt::format("DELETE FROM journal WHERE sequence = {}", next)).ok());
}

TEST_CASE("archive: each flipped byte of a small one is found") {
  const aios::test::Folder scratch;
  const std::string path = scratch.at("small.bak");
  {
    auto writer = ArchiveWriter::create(path).value();
    REQUIRE(writer.add("journal", 0, "some rows").ok());
    REQUIRE(writer.add("journal", 1, std::string(70, 'r')).ok());
    REQUIRE(writer.add("blobs/blob_1", 0, "").ok());
    REQUIRE(writer.finish().ok());
  }
  const std::string good = bytes_of(path);
  const auto reads_through = [&] {
    auto reader = ArchiveReader::open(path);
    for (bool more = reader.ok(); more;) {
      auto frame = reader->next();
      if (!frame.ok()) {
        return false;
      }
      more = !frame->name.empty();
    }
    return reader.ok();
  };
  REQUIRE(reads_through());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    put_bytes(path, bad);
    CHECK_MESSAGE(!reads_through(), "bit ", bit);
  }
}

TEST_CASE("archive: a restore of one with a flipped byte is refused wherever it is") {
  Subject subject(Kind::sqlite);
  Transition out = subject.transition();
  out.streams.push_back(write("run_a", 0, "x"));
  out.leaves.push_back({"leaf"});
  subject.must_commit(out);
  const Payload large{"", std::string(20'000, 'b')};
  REQUIRE(subject.run(subject.store().put_blob(subject.context(), large)).ok());
  const std::string archive = subject.scratch().at("one.bak");
  const std::string keys = subject.scratch().at("one.keys");
  REQUIRE(subject.store().backup(archive).ok());
  REQUIRE(subject.store().export_keys(keys, "p").ok());
  const std::string good = bytes_of(archive);
  const std::string bad_path = subject.scratch().at("bad.bak");
  const std::string target = subject.scratch().at("target");
  const std::size_t step = good.size() / 24 + 1;
  for (std::size_t at = 0; at < good.size(); at += step) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    put_bytes(bad_path, bad);
    auto refused = restore_store(bad_path, keys, "p", target);
    REQUIRE_MESSAGE(!refused.ok(), "byte ", at);
    CHECK(refused.error().code() == Code::data_loss);
    CHECK(refused.error().page() == 415);
    CHECK(!std::filesystem::exists(target));
  }
  REQUIRE(restore_store(archive, keys, "p", target).ok());
}

TEST_CASE("archive: a row that was damaged before it was archived is refused by the restore") {
  Subject subject(Kind::sqlite);
  const std::string archive = subject.scratch().at("one.bak");
  const std::string keys = subject.scratch().at("one.keys");
  REQUIRE(subject.store().backup(archive).ok());
  REQUIRE(subject.store().export_keys(keys, "p").ok());
  const std::string made = subject.scratch().at("made.bak");
  {
    auto reader = ArchiveReader::open(archive).value();
    auto writer = ArchiveWriter::create(made).value();
    for (auto frame = reader.next().value(); !frame.name.empty(); frame = reader.next().value()) {
      if (frame.name == "journal") {
        Writer rows;
        JournalRow bad = row(1);
        bad.body[0] ^= 4;
        rows.varint(bad.sequence);
        rows.zigzag(bad.time.ns);
        rows.varint(bad.first_leaf);
        rows.bytes(bad.body);
        frame.data = rows.take();
      }
      REQUIRE(writer.add(frame.name, frame.offset, frame.data).ok());
    }
    REQUIRE(writer.finish().ok());
  }
  auto refused = restore_store(made, keys, "p", subject.scratch().at("target"));
  REQUIRE(!refused.ok());
  CHECK(refused.error().page() == 426);
}

}  // namespace aios::store::testing
