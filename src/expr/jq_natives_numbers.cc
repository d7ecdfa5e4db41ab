// SPDX-License-Identifier: Apache-2.0
// Mathematics: the C library's functions by their names.
#include "expr/detail/jq_machine.h"
#include "expr/detail/jq_natives.h"
#include "expr/detail/jq_print.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

namespace aios::expr::detail {
namespace {

bool number(Machine& machine, const Value& value) {
  return value.is_number() ||
         machine.raise(fmt::format("{} number required", described(machine.budget(), value)));
}

template <double (*function)(double)>
bool of_one(Machine& machine, Value* input, Value*) {
  if (!number(machine, *input)) {
    return false;
  }
  *input = Value::number(function(input->as_number()));
  return true;
}

template <double (*function)(double, double)>
bool of_two(Machine& machine, Value* input, Value* arguments) {
  if (!number(machine, arguments[0]) || !number(machine, arguments[1])) {
    return false;
  }
  *input = Value::number(function(arguments[0].as_number(), arguments[1].as_number()));
  return true;
}

bool fused(Machine& machine, Value* input, Value* arguments) {
  if (!number(machine, arguments[0]) || !number(machine, arguments[1]) ||
      !number(machine, arguments[2])) {
    return false;
  }
  *input = Value::number(
      std::fma(arguments[0].as_number(), arguments[1].as_number(), arguments[2].as_number()));
  return true;
}

double ten_to(double x) { return std::pow(10, x); }
double significand_of(double x) {
  if (x == 0 || !std::isfinite(x)) {
    return x;
  }
  int exponent = 0;
  return 2 * std::frexp(x, &exponent);
}
double scaled(double x, double by) {
  return std::ldexp(x, static_cast<int>(std::fmax(std::fmin(by, 100000), -100000)));
}
// lgamma() writes a global; this one does not.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

bool pair(Machine& machine, Value* input, double first, double second) {
  *input = Value::array(machine.budget());
  input->push(machine.budget(), Value::number(first));
  input->push(machine.budget(), Value::number(second));
  return true;
}

bool fraction_and_exponent(Machine& machine, Value* input, Value*) {
  if (!number(machine, *input)) {
    return false;
  }
  int exponent = 0;
  auto fraction = std::frexp(input->as_number(), &exponent);
  return pair(machine, input, fraction, std::isfinite(fraction) ? exponent : 0);
}

bool fraction_and_whole(Machine& machine, Value* input, Value*) {
  if (!number(machine, *input)) {
    return false;
  }
  double whole = 0;
  auto fraction = std::modf(input->as_number(), &whole);
  return pair(machine, input, fraction, whole);
}

bool gamma_and_sign(Machine& machine, Value* input, Value*) {
  if (!number(machine, *input)) {
    return false;
  }
  int sign = 0;
  auto result = ::lgamma_r(input->as_number(), &sign);
  return pair(machine, input, result, sign);
}

bool infinite(Machine&, Value* input, Value*) {
  *input = Value::number(std::numeric_limits<double>::infinity());
  return true;
}

bool not_a_number(Machine&, Value* input, Value*) {
  *input = Value::number(std::numeric_limits<double>::quiet_NaN());
  return true;
}

bool is_nan(Machine& machine, Value* input, Value*) {
  if (!number(machine, *input)) {
    return false;
  }
  *input = Value::boolean(std::isnan(input->as_number()));
  return true;
}

bool is_infinite(Machine& machine, Value* input, Value*) {
  if (!number(machine, *input)) {
    return false;
  }
  *input = Value::boolean(std::isinf(input->as_number()));
  return true;
}

bool is_normal(Machine& machine, Value* input, Value*) {
  if (!number(machine, *input)) {
    return false;
  }
  *input = Value::boolean(std::isnormal(input->as_number()));
  return true;
}

constexpr std::array table = {
    Native{"floor", 0, of_one<std::floor>},
    Native{"ceil", 0, of_one<std::ceil>},
    Native{"round", 0, of_one<std::round>},
    Native{"trunc", 0, of_one<std::trunc>},
    Native{"rint", 0, of_one<std::rint>},
    Native{"nearbyint", 0, of_one<std::nearbyint>},
    Native{"sqrt", 0, of_one<std::sqrt>},
    Native{"cbrt", 0, of_one<std::cbrt>},
    Native{"fabs", 0, of_one<std::fabs>},
    Native{"exp", 0, of_one<std::exp>},
    Native{"exp2", 0, of_one<std::exp2>},
    Native{"exp10", 0, of_one<ten_to>},
    Native{"expm1", 0, of_one<std::expm1>},
    Native{"log", 0, of_one<std::log>},
    Native{"log2", 0, of_one<std::log2>},
    Native{"log10", 0, of_one<std::log10>},
    Native{"log1p", 0, of_one<std::log1p>},
    Native{"logb", 0, of_one<std::logb>},
    Native{"sin", 0, of_one<std::sin>},
    Native{"cos", 0, of_one<std::cos>},
    Native{"tan", 0, of_one<std::tan>},
    Native{"asin", 0, of_one<std::asin>},
    Native{"acos", 0, of_one<std::acos>},
    Native{"atan", 0, of_one<std::atan>},
    Native{"sinh", 0, of_one<std::sinh>},
    Native{"cosh", 0, of_one<std::cosh>},
    Native{"tanh", 0, of_one<std::tanh>},
    Native{"asinh", 0, of_one<std::asinh>},
    Native{"acosh", 0, of_one<std::acosh>},
    Native{"atanh", 0, of_one<std::atanh>},
    Native{"gamma", 0, of_one<log_gamma>},
    Native{"lgamma", 0, of_one<log_gamma>},
    Native{"tgamma", 0, of_one<std::tgamma>},
    Native{"significand", 0, of_one<significand_of>},
    Native{"j0", 0, of_one<::j0>},
    Native{"j1", 0, of_one<::j1>},
    Native{"y0", 0, of_one<::y0>},
    Native{"y1", 0, of_one<::y1>},
    Native{"pow", 2, of_two<std::pow>},
    Native{"atan2", 2, of_two<std::atan2>},
    Native{"fmod", 2, of_two<std::fmod>},
    Native{"fmin", 2, of_two<std::fmin>},
    Native{"fmax", 2, of_two<std::fmax>},
    Native{"fdim", 2, of_two<std::fdim>},
    Native{"hypot", 2, of_two<std::hypot>},
    Native{"copysign", 2, of_two<std::copysign>},
    Native{"drem", 2, of_two<std::remainder>},
    Native{"nextafter", 2, of_two<std::nextafter>},
    Native{"ldexp", 2, of_two<scaled>},
    Native{"scalb", 2, of_two<scaled>},
    Native{"scalbln", 2, of_two<scaled>},
    Native{"fma", 3, fused},
    Native{"frexp", 0, fraction_and_exponent},
    Native{"modf", 0, fraction_and_whole},
    Native{"lgamma_r", 0, gamma_and_sign},
    Native{"infinite", 0, infinite},
    Native{"nan", 0, not_a_number},
    Native{"isnan", 0, is_nan},
    Native{"isinfinite", 0, is_infinite},
    Native{"isnormal", 0, is_normal},
};

}  // namespace

std::span<const Native> number_natives() { return table; }

}  // namespace aios::expr::detail
