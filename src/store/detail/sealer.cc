// SPDX-License-Identifier: Apache-2.0
#include "store/detail/sealer.h"

#include "core/codec.h"
#include "core/crypto.h"

#include <fmt/format.h>
#include <zstd.h>

#include <mutex>
#include <vector>

namespace aios::store::detail {
namespace {

constexpr std::uint8_t form = 0x10;
constexpr std::uint8_t compressed_flag = 0x01;
constexpr std::size_t compress_from = 256;  // shorter texts do not pay for it
constexpr int compression_level = 1;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t clear_bytes_max = std::size_t{128} << 20;

struct Context {
  ZSTD_CCtx* out = ZSTD_createCCtx();
  ZSTD_DCtx* in = ZSTD_createDCtx();
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() {
    ZSTD_freeCCtx(out);
    ZSTD_freeDCtx(in);
  }
};

std::string authenticated(Use use, std::string_view owner) {
  std::string out(1, static_cast<char>(use));
  return out.append(owner);
}

struct Parsed {
  std::uint8_t flags = 0;
  std::uint64_t key_id = 0;
  std::string_view nonce;
  std::string_view sealed;
  bool ok = false;
};

Parsed parse(std::string_view bytes) {
  Parsed out;
  Reader in(bytes);
  out.flags = in.u8();
  out.key_id = in.varint();
  if (!in.ok() || (out.flags & 0xfe) != form) {
    return out;
  }
  // The reader does not tell its position; the same head written again has the same length.
  Writer head;
  head.varint(out.key_id);
  const std::size_t used = 1 + head.data().size();
  if (bytes.size() < used + nonce_bytes) {
    return out;
  }
  out.nonce = bytes.substr(used, nonce_bytes);
  out.sealed = bytes.substr(used + nonce_bytes);
  out.ok = true;
  return out;
}

}  // namespace

/// Contexts cost more to make than to use, and random bytes more one by one than by the page.
class Sealer::Pool {
 public:
  std::unique_ptr<Context> take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) {
      return std::make_unique<Context>();
    }
    auto out = std::move(free_.back());
    free_.pop_back();
    return out;
  }
  void give(std::unique_ptr<Context> context) {
    std::lock_guard lock(mutex_);
    if (free_.size() < contexts_max) {
      free_.push_back(std::move(context));
    }
  }
  std::string nonce() {
    std::lock_guard lock(mutex_);
    if (random_.size() < nonce_bytes) {
      random_ = secure_random(nonce_bytes * 256);
    }
    std::string out = random_.substr(random_.size() - nonce_bytes);
    random_.resize(random_.size() - nonce_bytes);
    return out;
  }

 private:
  static constexpr std::size_t contexts_max = 16;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Context>> free_;
  std::string random_;
};

Sealer::Sealer(Keyring& keyring) : keyring_(keyring), pool_(std::make_unique<Pool>()) {}
Sealer::~Sealer() = default;

std::string Sealer::seal(const Keyring::Grant& grant, Use use, std::string_view owner,
                         std::string_view bytes) {
  std::string packed;
  std::uint8_t flags = form;
  if (bytes.size() > compress_from) {
    auto context = pool_->take();
    Writer head;
    head.varint(bytes.size());
    packed = head.take();
    const std::size_t before = packed.size();
    packed.resize(before + ZSTD_compressBound(bytes.size()));
    const std::size_t size =
        ZSTD_compressCCtx(context->out, packed.data() + before, packed.size() - before,
                          bytes.data(), bytes.size(), compression_level);
    pool_->give(std::move(context));
    if (ZSTD_isError(size) == 0 && before + size < bytes.size()) {
      packed.resize(before + size);
      bytes = packed;
      flags |= compressed_flag;
    }
  }
  Writer out;
  out.u8(flags);
  out.varint(grant.key_id);
  std::string sealed = out.take();
  const std::string fresh = pool_->nonce();
  sealed.append(fresh);
  return sealed.append(aes_gcm_seal(view(grant.key), fresh, authenticated(use, owner), bytes));
}

Result<Opened> Sealer::open(Use use, std::string_view owner, std::string_view sealed) {
  Opened out;
  if (sealed.empty()) {
    return out;
  }
  const Parsed parts = parse(sealed);
  if (!parts.ok) {
    return Error(Code::data_loss, fmt::format("{} bytes that are not sealed bytes", sealed.size()))
        .page(410);
  }
  auto key = keyring_.key(parts.key_id);
  if (!key.ok()) {
    return std::move(key).error();
  }
  if (!*key) {
    out.erased = true;
    return out;
  }
  auto clear = aes_gcm_open(view(**key), parts.nonce, authenticated(use, owner), parts.sealed);
  if (!clear.ok()) {
    return std::move(clear).error().page(410).with("opening sealed bytes");
  }
  if ((parts.flags & compressed_flag) == 0) {
    out.bytes = *std::move(clear);
    return out;
  }
  Reader in(*clear);
  const std::uint64_t size = in.varint();
  Writer head;
  head.varint(size);
  if (!in.ok() || size > clear_bytes_max) {
    return Error(Code::data_loss, "compressed bytes without a credible size").page(410);
  }
  out.bytes.resize(size);
  const std::string_view body = std::string_view(*clear).substr(head.data().size());
  auto context = pool_->take();
  const std::size_t got = ZSTD_decompressDCtx(context->in, out.bytes.data(), out.bytes.size(),
                                              body.data(), body.size());
  pool_->give(std::move(context));
  if (ZSTD_isError(got) != 0 || got != size) {
    return Error(Code::data_loss, "compressed bytes that do not decompress").page(410);
  }
  return out;
}

std::uint64_t Sealer::key_id(std::string_view sealed) {
  const Parsed parts = parse(sealed);
  return parts.ok ? parts.key_id : 0;
}

}  // namespace aios::store::detail
