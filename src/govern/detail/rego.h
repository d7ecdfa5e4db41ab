// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/rego: compiled Rego modules, over the bridge (its C header stays in rego.cc).
// Threading: a Rego is immutable; any number of threads evaluate it at once.

#include "core/json.h"
#include "core/result.h"
#include "govern/guard.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct aios_rego;

namespace aios::govern::detail {

class Rego {
 public:
  struct TestRule {
    std::string path;  ///< "data.support_test.test_refund"
    std::string file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    Json statements{};  ///< where they stand, as the bridge says it; null: not known
  };

  /// @param data  the document below `data`. @return invalid_argument [AIOS-0502] with file, line
  /// and
  ///        column of the first refusal; the others stand in its message.
  static Result<std::shared_ptr<const Rego>> compile(const std::vector<PolicyFile>& files,
                                                     const JsonObject& data);
  ~Rego();
  Rego(const Rego&) = delete;
  Rego& operator=(const Rego&) = delete;

  /// @param path  "data.support.decide"; a package gives an object of its rules. Nothing:
  /// undefined.
  /// @return failed_precondition [AIOS-0504].
  Result<std::optional<Json>> evaluate(std::string_view path, std::string_view input) const;
  /// What a rule prints when it is evaluated without input; empty too where that fails.
  static std::vector<std::string> prints(const std::vector<PolicyFile>& files,
                                         const JsonObject& data, std::string_view path);
  bool has(std::string_view path) const;
  const std::vector<TestRule>& tests() const { return tests_; }

 private:
  Rego() = default;
  Result<void> read_report(std::string_view text);

  aios_rego* handle_ = nullptr;
  std::vector<std::string> entry_points_;  // sorted
  std::vector<TestRule> tests_;
};

}  // namespace aios::govern::detail
