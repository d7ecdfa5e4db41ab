// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/refusal: why something was not done, with the audit leaves that say so. Whoever gets one
// commits the leaves with what it makes of the error; dropped, the log does not know of it.

#include "core/result.h"
#include "store/transition.h"

#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace aios::govern {

struct Refusal {
  Error error;
  std::vector<store::AuditLeaf> leaves{};  ///< none: nothing was decided that the log must tell

  Refusal&& with(std::string_view while_doing) && {
    error = std::move(error).with(while_doing);
    return std::move(*this);
  }
};

/// A value or a Refusal. An Error alone is a refusal without leaves. The value of a refusal, and
/// the refusal of a value, end the process with a message.
template <class T>
class [[nodiscard]] Refusable {
 public:
  Refusable(T value)  // NOLINT: conversion is the point
      : state_(std::in_place_index<0>, std::move(value)) {}
  Refusable(Refusal refusal) : state_(std::in_place_index<1>, std::move(refusal)) {}  // NOLINT
  Refusable(Error error) : Refusable(Refusal{std::move(error)}) {}                    // NOLINT

  bool ok() const { return state_.index() == 0; }
  T& operator*() & { return *value(); }
  T&& operator*() && { return std::move(*value()); }
  T* operator->() { return value(); }
  const T* operator->() const { return const_cast<Refusable*>(this)->value(); }
  const Refusal& refusal() const& { return *const_cast<Refusable*>(this)->check_refusal(); }
  Refusal&& refusal() && { return std::move(*check_refusal()); }
  const Error& error() const& { return refusal().error; }

 private:
  T* value() {
    if (!ok()) {
      fail_assertion(error().text().c_str(), "Refusable::value", 0);
    }
    return &std::get<0>(state_);
  }
  Refusal* check_refusal() {
    AIOS_ASSERT(!ok());
    return &std::get<1>(state_);
  }
  std::variant<T, Refusal> state_;
};

}  // namespace aios::govern
