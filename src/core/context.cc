// SPDX-License-Identifier: Apache-2.0
#include "core/context.h"

#include "core/text.h"

#include <algorithm>

namespace aios {
namespace {

template <std::size_t N>
std::string_view bytes_of(const std::array<unsigned char, N>& data) {
  return {reinterpret_cast<const char*>(data.data()), N};
}

template <std::size_t N>
bool read_hex(std::string_view text, std::array<unsigned char, N>* out) {
  auto bytes = from_hex(text);
  if (!bytes.ok() || bytes->size() != N || ascii_lower(text) != text) {
    return false;
  }
  std::copy(bytes->begin(), bytes->end(), out->begin());
  return true;
}

template <std::size_t N>
bool any(const std::array<unsigned char, N>& data) {
  return std::any_of(data.begin(), data.end(), [](unsigned char byte) { return byte != 0; });
}

}  // namespace

bool Trace::valid() const { return any(trace_id) && any(span_id); }
std::string Trace::trace_id_hex() const { return to_hex(bytes_of(trace_id)); }
std::string Trace::span_id_hex() const { return to_hex(bytes_of(span_id)); }

std::string Trace::traceparent() const {
  return "00-" + trace_id_hex() + "-" + span_id_hex() + (sampled ? "-01" : "-00");
}

Trace Trace::parse(std::string_view header) {
  // version "00": exactly 55 characters; a later version may have more after another '-'
  Trace trace;
  const auto parts = split(header, '-');
  if (parts.size() < 4 || parts[0].size() != 2 || parts[0] == "ff" || parts[3].size() != 2 ||
      (parts[0] == "00" && parts.size() != 4)) {
    return {};
  }
  std::array<unsigned char, 1> version{};
  std::array<unsigned char, 1> flags{};
  if (!read_hex(parts[0], &version) || !read_hex(parts[1], &trace.trace_id) ||
      !read_hex(parts[2], &trace.span_id) || !read_hex(parts[3], &flags) || !trace.valid()) {
    return {};
  }
  trace.sampled = (flags[0] & 1) != 0;
  return trace;
}

void CancelState::cancel() {
  std::lock_guard lock(mutex_);
  if (cancelled_.exchange(true)) {
    return;
  }
  while (!entries_.empty()) {
    const Entry entry = std::move(entries_.back());
    entries_.pop_back();
    entry.callback();
  }
}

std::uint64_t CancelState::on_cancel(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    if (!cancelled_.load()) {
      entries_.push_back({next_, std::move(callback)});
      return next_++;
    }
  }
  callback();
  return 0;
}

void CancelState::remove(std::uint64_t id) {
  std::lock_guard lock(mutex_);
  std::erase_if(entries_, [id](const Entry& entry) { return entry.id == id; });
}

Context Context::with_label(DataLabel label) const {
  Context copy = *this;
  copy.labels |= static_cast<std::uint32_t>(label);
  return copy;
}

Context Context::until(Instant at) const {
  Context copy = *this;
  copy.deadline = std::min(deadline, at);
  return copy;
}

Context system_context(const TenantId& tenant, std::string_view part) {
  auto principal = std::make_shared<Principal>();
  principal->id = "system:" + std::string(part);
  principal->kind = "system";
  principal->roles = {"system"};
  Context ctx;
  ctx.tenant = tenant;
  ctx.principal = std::move(principal);
  return ctx;
}

}  // namespace aios
