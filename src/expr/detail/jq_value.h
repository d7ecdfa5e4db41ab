// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_value: the value the evaluator computes with: 16 bytes, copied by counting
// references, changed in place when nobody else holds it. Values of the input, of variables and of
// literals are borrowed from their Json and never copied before they are changed.
// Threading: a value belongs to one evaluation; counts are not atomic.

#include "core/json.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::expr::detail {

struct Box;

/// What one evaluation may spend. Once something is exceeded it stays so and the machine stops.
struct Budget {
  enum class Limit : std::uint8_t { none, steps, depth, memory, outputs, output_depth, regex };

  bool spend(std::uint64_t count) {
    steps += count;
    if (steps > steps_max) {
      fail(Limit::steps);
    }
    return exceeded == Limit::none;
  }
  /// Before a large allocation: whether it fits.
  bool fits(std::size_t more) {
    if (more > bytes_max || bytes > bytes_max - more) {
      fail(Limit::memory);
    }
    return exceeded == Limit::none;
  }
  void fail(Limit limit) {
    if (exceeded == Limit::none) {
      exceeded = limit;
    }
  }

  std::uint64_t steps = 0;
  std::uint64_t steps_max = 0;
  std::size_t bytes = 0;
  std::size_t bytes_max = 0;
  std::uint32_t depth_max = 0;
  Limit exceeded = Limit::none;
  Box* dying =
      nullptr;  // boxes whose members are still to be released; keeps release off the C stack
  bool releasing = false;
};

/// In jq's sort order.
enum class Type : std::uint8_t { null, false_, true_, number, string, array, object };

class Value {
 public:
  Value() = default;
  Value(const Value& other) : rep_(other.rep_), length_(other.length_), data_(other.data_) {
    hold();
  }
  Value(Value&& other) noexcept : rep_(other.rep_), length_(other.length_), data_(other.data_) {
    other.rep_ = Rep::null;
  }
  Value& operator=(const Value& other) {
    Value copy(other);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    Value moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~Value() {
    if (is_boxed()) {
      release();
    }
  }
  void swap(Value& other) noexcept {
    std::swap(rep_, other.rep_);
    std::swap(length_, other.length_);
    std::swap(data_, other.data_);
  }

  static Value boolean(bool truth);
  static Value number(double number);
  /// The text must outlive the evaluation.
  static Value borrow_text(std::string_view text);
  static Value string(Budget& budget, std::string text);
  static Value array(Budget& budget);
  static Value object(Budget& budget);
  /// The Json must outlive the evaluation and stay as it is.
  static Value borrow(const Json& json);

  Type type() const;
  bool is_null() const { return rep_ == Rep::null; }
  bool is_number() const { return rep_ == Rep::number || rep_ == Rep::integer; }
  bool is_string() const { return rep_ == Rep::text || rep_ == Rep::string; }
  bool is_array() const { return rep_ == Rep::json_array || rep_ == Rep::array; }
  bool is_object() const { return rep_ == Rep::json_object || rep_ == Rep::object; }
  /// Everything but null and false.
  bool truth() const { return rep_ != Rep::null && rep_ != Rep::false_; }
  double as_number() const;
  /// The whole number a double cannot hold exactly, as it came; nullptr for any other value.
  const Json* big_integer() const { return rep_ == Rep::integer ? data_.json : nullptr; }
  std::string_view text() const;

  /// Elements or members.
  std::size_t size() const;
  Value at(std::size_t index) const;
  std::string_view key_at(std::size_t index) const;
  Value member_at(std::size_t index) const;
  /// Whether the object has the key; *out is its value.
  bool find(std::string_view key, Value* out) const;

  // Changes. The first makes a private copy of what others hold too.
  void push(Budget& budget, Value item);
  /// Fills up with null.
  void set_at(Budget& budget, std::size_t index, Value item);
  /// Takes the element out and leaves null, so that it can be changed in place and put back.
  Value take_at(Budget& budget, std::size_t index);
  std::vector<Value>& items(Budget& budget);
  /// After items() were changed directly.
  void settle_items(Budget& budget);
  void set_member(Budget& budget, const Value& key, Value member);
  Value take_member(Budget& budget, std::string_view key);
  void erase_member(Budget& budget, std::string_view key);
  void append_text(Budget& budget, std::string_view more);

  /// The same array or object, or an equal scalar: what path tracking means by "still there".
  bool identical(const Value& other) const;
  std::uint32_t depth() const;

 private:
  enum class Rep : std::uint8_t {
    null,
    false_,
    true_,
    number,
    integer,  // Json holding an int64 or uint64 beyond 2^53
    text,     // borrowed characters
    json_array,
    json_object,
    string,
    array,
    object,  // boxed, in this order at the end
  };
  union Data {
    double number;
    const char* text;
    const Json* json;
    Box* box;
  };
  bool is_boxed() const { return rep_ >= Rep::string; }
  void hold();
  void release();
  void own(Budget& budget);
  void nest(Budget& budget, const Value& child);

  Rep rep_ = Rep::null;
  std::uint32_t length_ = 0;  // of borrowed text
  Data data_{};
};
static_assert(sizeof(Value) == 16);

struct Member {
  Value key;
  Value value;
};

/// "null", "boolean", "number", ...
std::string_view type_name(const Value& value);

}  // namespace aios::expr::detail
