// SPDX-License-Identifier: Apache-2.0
// A chunk of a stream's history: as bytes from a damaged table, and as what was written, where each
// line of the input is an event; packed or not, it reads the same, and cut short it is an error.
#include "store/detail/history.h"

#include "core/text.h"
#include "store/detail/memory_disk.h"
#include "store/detail/memory_keystore.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {
namespace {

using namespace store::detail;

struct Keys {
  store::MemoryDisk disk;
  std::unique_ptr<KeyStore> keystore = memory_keystore(disk, disk.impl().generation);
  std::unique_ptr<Keyring> keyring =
      Keyring::open(*keystore, std::string(Key{}.size(), 'k')).value();
  Sealer sealer{*keyring};
};

std::vector<store::HistoryRow> read(Sealer& sealer, const std::string& owner,
                                    std::string_view chunk) {
  std::vector<store::HistoryRow> rows;
  AIOS_ASSERT(read_chunk(sealer, owner, chunk, &rows).ok());
  return rows;
}

}  // namespace

void history(std::string_view input) {
  static Keys keys;
  const std::string owner = "a stream";
  std::vector<store::HistoryRow> found;
  if (const auto foreign = read_chunk(keys.sealer, owner, input, &found); !foreign.ok()) {
    AIOS_ASSERT(foreign.error().page() == 410);
  }
  AIOS_ASSERT(pack_closed(keys.sealer, owner, {std::string(input)}) == input);

  const auto grant = keys.keyring->grant("t", "", Time{1}).value();
  ChunkWriter writer;
  const auto lines = split(input.substr(0, 2'000), '\n');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto sealed = keys.sealer.seal(grant, Use::event, owner, lines[i]);
    writer.add(i, {static_cast<std::uint16_t>(lines[i].size()), Time{-5}, sealed});
  }
  const std::string chunk = writer.take();
  const std::string packed = pack_closed(keys.sealer, owner, {chunk});
  for (const auto& rows : {read(keys.sealer, owner, chunk), read(keys.sealer, owner, packed)}) {
    AIOS_ASSERT(rows.size() == lines.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      AIOS_ASSERT(rows[i].version == i && rows[i].data == lines[i] && !rows[i].erased);
    }
  }
  const std::string_view cut_short = std::string_view(packed).substr(0, packed.size() - 1);
  AIOS_ASSERT(!read_chunk(keys.sealer, owner, cut_short, &found).ok());
  AIOS_ASSERT(!read_chunk(keys.sealer, "another", packed, &found).ok());
}

}  // namespace aios::fuzz
