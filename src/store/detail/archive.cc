// SPDX-License-Identifier: Apache-2.0
#include "store/detail/archive.h"

#include "core/codec.h"
#include "core/crypto.h"
#include "core/failpoint.h"
#include "store/detail/files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace aios::store::detail {
namespace {

constexpr std::string_view magic = "AIOSBAK2";
constexpr std::size_t length_bytes = 4;
constexpr std::size_t head_bytes_max = 4096;

std::string to_length(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < length_bytes; ++i) {
    out.push_back(static_cast<char>((size >> (8 * i)) & 0xff));
  }
  return out;
}

std::size_t from_length(std::string_view bytes) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) {
    out |= static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return out;
}

}  // namespace

Result<ArchiveWriter> ArchiveWriter::create(const std::string& path) {
  if (exists(path)) {
    return file_error("making archive", path, EEXIST);
  }
  ArchiveWriter writer;
  writer.path_ = path;
  writer.file_.reset(std::fopen((path + ".new").c_str(), "wbe"));
  if (!writer.file_ ||
      std::fwrite(magic.data(), 1, magic.size(), writer.file_.get()) != magic.size()) {
    return file_error("writing", path + ".new", errno);
  }
  return writer;
}

ArchiveWriter::~ArchiveWriter() {
  if (file_) {  // not finished
    file_.reset();
    ::unlink((path_ + ".new").c_str());
  }
}

Result<void> ArchiveWriter::add(const std::string& name, std::uint64_t offset,
                                std::string_view data) {
  Writer head;
  head.bytes(name);
  head.varint(offset);
  head.varint(data.size());
  const Digest digest = sha256(head.data(), data);
  const std::string length = to_length(head.data().size());
  for (const std::string_view part :
       {std::string_view(length), std::string_view(head.data()), data, view(digest)}) {
    if (!part.empty() && std::fwrite(part.data(), 1, part.size(), file_.get()) != part.size()) {
      return file_error("writing", path_ + ".new", errno);
    }
  }
  ++frames_;
  return {};
}

Result<void> ArchiveWriter::add_file(const std::string& name, const std::string& path) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rbe"));
  if (!file) {
    return file_error("opening", path, errno);
  }
  std::string buffer(archive_frame_bytes_max, '\0');
  for (std::uint64_t offset = 0;;) {
    const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get());
    if (std::ferror(file.get()) != 0) {
      return file_error("reading", path, errno);
    }
    if (got == 0 && offset > 0) {
      return {};
    }
    if (auto added = add(name, offset, std::string_view(buffer).substr(0, got));
        !added.ok() || got == 0) {
      return added;
    }
    offset += got;
  }
}

Result<void> ArchiveWriter::finish() {
  Writer count;
  count.varint(frames_);
  if (auto added = add("", 0, count.data()); !added.ok()) {
    return added;
  }
  if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0) {
    return file_error("syncing", path_ + ".new", errno);
  }
  file_.reset();
  AIOS_FAILPOINT("backup.before_rename");
  if (std::rename((path_ + ".new").c_str(), path_.c_str()) != 0) {
    return file_error("renaming to", path_, errno);
  }
  const auto slash = path_.rfind('/');
  return sync_directory(slash == std::string::npos ? "." : path_.substr(0, slash + 1));
}

Result<ArchiveReader> ArchiveReader::open(const std::string& path) {
  ArchiveReader reader;
  reader.path_ = path;
  reader.file_.reset(std::fopen(path.c_str(), "rbe"));
  if (!reader.file_) {
    return file_error("opening", path, errno);
  }
  auto head = reader.take(magic.size());
  if (!head.ok() || *head != magic) {
    return Error(Code::data_loss,
                 fmt::format("'{}' is not a backup archive that this build reads", path))
        .page(415);
  }
  return reader;
}

Result<std::string> ArchiveReader::take(std::size_t bytes) {
  std::string out(bytes, '\0');
  if (std::fread(out.data(), 1, bytes, file_.get()) != bytes) {
    return Error(Code::data_loss, fmt::format("'{}' ends within frame {}", path_, frames_ + 1))
        .page(415);
  }
  return out;
}

Result<Frame> ArchiveReader::next() {
  const auto damaged = [this] {
    return Error(Code::data_loss, fmt::format("frame {} of '{}' is damaged", frames_ + 1, path_))
        .page(415);
  };
  auto length = take(length_bytes);
  if (!length.ok()) {
    return std::move(length).error();
  }
  if (from_length(*length) > head_bytes_max) {
    return damaged();
  }
  auto head = take(from_length(*length));
  if (!head.ok()) {
    return std::move(head).error();
  }
  Reader in(*head);
  Frame frame;
  frame.name = in.bytes();
  frame.offset = in.varint();
  const std::uint64_t size = in.varint();
  if (!in.ok() || size > archive_frame_bytes_max) {
    return damaged();
  }
  auto data = take(size);
  auto digest = data.ok() ? take(Digest{}.size()) : std::move(data);
  if (!digest.ok()) {
    return std::move(digest).error();
  }
  if (*digest != view(sha256(*head, *data))) {
    return damaged();
  }
  frame.data = *std::move(data);
  Reader end(frame.data);
  if (frame.name.empty() && end.varint() != frames_) {
    return damaged();
  }
  if (frame.name.empty() && std::fgetc(file_.get()) != EOF) {
    return Error(Code::data_loss, fmt::format("'{}' goes on behind its end", path_)).page(415);
  }
  ++frames_;
  return frame;
}

}  // namespace aios::store::detail
