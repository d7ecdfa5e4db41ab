// SPDX-License-Identifier: Apache-2.0
#include "core/codec.h"
#include "core/crypto.h"
#include "core/text.h"
#include "expr/csv.h"
#include "models/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace aios::models {
namespace {

constexpr std::size_t bins = 10;
constexpr double probability_min = 1e-6;

struct Bin {
  std::uint64_t examples = 0;
  std::uint64_t right = 0;
  double confidence = 0;
};

/// What the prediction says about one label; labels below the top share what is left.
double probability_of(const Prediction& prediction, std::string_view label, std::size_t labels) {
  double left = 1;
  for (const Scored& scored : prediction.top) {
    if (scored.label == label) {
      return scored.confidence;
    }
    left -= scored.confidence;
  }
  const std::size_t others = labels > prediction.top.size() ? labels - prediction.top.size() : 1;
  return left / static_cast<double>(others);
}

double calibration_error(const std::array<Bin, bins>& counted, std::uint64_t examples) {
  double error = 0;
  for (const Bin& bin : counted) {
    error += std::abs(bin.confidence - static_cast<double>(bin.right));
  }
  return error / static_cast<double>(examples);
}

}  // namespace

Evaluation evaluate(const Model& model, const std::vector<Example>& examples) {
  Evaluation result;
  result.examples = examples.size();
  if (examples.empty()) {
    result.unmeasured = model.labels();
    return result;
  }
  struct Recall {
    std::uint64_t examples = 0;
    std::uint64_t right = 0;
  };
  std::map<std::string, Recall> recalls;
  std::array<Bin, bins> counted{};
  std::uint64_t right = 0;
  for (const Example& example : examples) {
    const Prediction prediction = model.predict(example.text);
    const bool hit = prediction.best.label == example.label;
    const double confidence = std::clamp(prediction.best.confidence, 0.0, 1.0);
    Bin& bin = counted[std::min(bins - 1, static_cast<std::size_t>(confidence * bins))];
    ++bin.examples;
    bin.right += hit ? 1 : 0;
    bin.confidence += confidence;
    Recall& recall = recalls[example.label];
    ++recall.examples;
    recall.right += hit ? 1 : 0;
    right += hit ? 1 : 0;
    const double probability = probability_of(prediction, example.label, model.labels().size());
    result.log_loss -= std::log(std::max(probability, probability_min));
  }
  const auto count = static_cast<double>(examples.size());
  result.accuracy = static_cast<double>(right) / count;
  result.log_loss /= count;
  result.calibration_error = calibration_error(counted, examples.size());
  for (const auto& [label, recall] : recalls) {
    const double share = static_cast<double>(recall.right) / static_cast<double>(recall.examples);
    result.recall_by_label[label] = share;
    result.macro_recall += share / static_cast<double>(recalls.size());
  }
  for (const std::string& label : model.labels()) {
    if (!recalls.contains(label)) {
      result.unmeasured.push_back(label);
    }
  }
  return result;
}

std::string dataset_digest(const std::vector<Example>& examples) {
  Writer out;
  out.u8(1);
  for (const Example& example : examples) {
    out.bytes(example.text);
    out.bytes(example.label);
  }
  return to_hex(view(sha256(out.data())));
}

Result<std::vector<Example>> read_examples(std::string_view csv, std::string_view file_name) {
  auto table = expr::parse_csv(csv, file_name);
  if (!table.ok()) {
    return std::move(table).error().with("reading examples");
  }
  const auto text = table->column("text");
  const auto label = table->column("label");
  if (!text || !label) {
    return Error(Code::invalid_argument, fmt::format("found the columns {}, wanted text and label",
                                                     excerpt(join(table->columns, ", "), 200)))
        .page(701)
        .at(file_name, 1, 1);
  }
  std::vector<Example> examples;
  examples.reserve(table->rows.size());
  for (expr::CsvRow& row : table->rows) {
    const std::string_view name = trim(row.fields[*label]);
    if (name.empty() || trim(row.fields[*text]).empty()) {
      return Error(Code::invalid_argument, name.empty() ? "found no label, wanted one in each row"
                                                        : "found no text, wanted one in each row")
          .page(701)
          .at(file_name, row.place.line, row.place.column);
    }
    examples.push_back({std::move(row.fields[*text]), std::string(name)});
  }
  return examples;
}

}  // namespace aios::models
