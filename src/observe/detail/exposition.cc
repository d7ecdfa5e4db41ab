// SPDX-License-Identifier: Apache-2.0
#include "observe/detail/exposition.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

namespace aios::observe::detail {

namespace {

enum class Quotes : std::uint8_t { keep, escape };

void append_escaped(std::string_view text, Quotes quotes, std::string* out) {
  for (const char c : text) {
    if (c == '\\') {
      *out += "\\\\";
    } else if (c == '\n') {
      *out += "\\n";
    } else if (c == '"' && quotes == Quotes::escape) {
      *out += "\\\"";
    } else {
      out->push_back(c);
    }
  }
}

std::string_view type_text(Type type) {
  switch (type) {
    case Type::counter: return "counter";
    case Type::gauge: return "gauge";
    case Type::histogram: return "histogram";
  }
  return "unknown";
}

/// "{a=\"1\",le=\"0.5\"}", or nothing when there are no labels.
std::string labels_text(const Family& family, const std::vector<std::string>& values,
                        std::string_view bound) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out += out.empty() ? "{" : ",";
    out += family.info.labels[i];
    out += "=\"";
    append_escaped(values[i], Quotes::escape, &out);
    out += "\"";
  }
  if (!bound.empty()) {
    out += out.empty() ? "{le=\"" : ",le=\"";
    out += bound;
    out += "\"";
  }
  if (!out.empty()) {
    out += "}";
  }
  return out;
}

void print_histogram(const Family& family, const std::vector<std::string>& values,
                     const Histogram& histogram, std::string* out) {
  std::uint64_t total = 0;  // +Inf and _count are the same number even while others observe
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
    total += histogram.bucket(i);
    const std::string bound =
        i < histogram.bounds().size() ? number_text(histogram.bounds()[i]) : "+Inf";
    *out += fmt::format("{}_bucket{} {}\n", family.info.name, labels_text(family, values, bound),
                        total);
  }
  const std::string labels = labels_text(family, values, "");
  *out += fmt::format("{}_count{} {}\n", family.info.name, labels, total);
  *out += fmt::format("{}_sum{} {}\n", family.info.name, labels, number_text(histogram.sum()));
}

void print_head(const Family& family, Form form, std::string* out) {
  const bool open = form == Form::open_metrics;
  const std::string name =
      family.info.name + (!open && family.type == Type::counter ? "_total" : "");
  std::string help;
  append_escaped(family.info.help, open ? Quotes::escape : Quotes::keep, &help);
  if (open) {
    *out += fmt::format("# TYPE {} {}\n", name, type_text(family.type));
    if (!family.info.unit.empty()) {
      *out += fmt::format("# UNIT {} {}\n", name, family.info.unit);
    }
    *out += fmt::format("# HELP {} {}\n", name, help);
  } else {
    *out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type_text(family.type));
  }
}

}  // namespace

std::string number_text(double value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "+Inf" : "-Inf";
  }
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) {
    text += ".0";
  }
  return text;
}

void print_family(const Family& family, Form form, std::string* out) {
  print_head(family, form, out);
  for (const auto& [values, series] : family.series) {
    if (series.histogram) {
      print_histogram(family, values, *series.histogram, out);
      continue;
    }
    const std::string labels = labels_text(family, values, "");
    if (series.counter) {
      *out += fmt::format("{}_total{} {}\n", family.info.name, labels, series.counter->value());
    } else if (series.gauge) {
      *out += fmt::format("{}{} {}\n", family.info.name, labels, number_text(series.gauge()));
    }
  }
}

}  // namespace aios::observe::detail
