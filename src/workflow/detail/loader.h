// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/loader: one YAML document to a Definition, or all that is wrong with it.

#include "core/result.h"
#include "expr/yaml.h"
#include "workflow/detail/definition.h"
#include "workflow/function.h"
#include "workflow/task_kind.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::workflow {

/// @param errors  gets what is wrong; null is returned then.
std::shared_ptr<const Definition> load_definition(const DefinitionFile& file,
                                                  const FunctionRegistry& functions,
                                                  std::vector<Error>* errors);

class Loader final : public TaskLoader {
 public:
  Loader(const DefinitionFile& file, const FunctionRegistry& functions);
  std::shared_ptr<const Definition> load(std::vector<Error>* errors);

  void fail(const std::string& pointer, std::string message, int page) override;
  const Json* member(const Json& node, const std::string& pointer, std::string_view name,
                     std::string_view type, bool required) override;
  void only(const Json& node, const std::string& pointer,
            const std::vector<std::string>& allowed) override;
  Expression expression(const Json& value, const std::string& pointer, BareText bare,
                        const std::vector<std::string>& more_arguments) override;
  void extraction(const Json& value, const std::string& pointer) override;
  DurationValue duration(const Json& value, const std::string& pointer) override;
  Directive directive(const Json& value, const std::string& pointer) override;
  std::uint32_t tasks(const Json& value, const std::string& pointer,
                      const std::vector<std::string>& variables) override;
  std::uint32_t branch(const Json& value, const std::string& pointer) override;
  void runs(const std::string& workflow, const std::string& version,
            const std::string& pointer) override;
  void listens(const std::string& type) override;
  const Json* referable(const Json& value, const std::string& pointer, std::string_view section,
                        std::string* resolved_pointer) override;
  void secret(const std::string& name, const std::string& pointer) override;
  std::string function(const std::string& call, const Json* arguments,
                       const std::string& pointer) override;

 private:
  void fail_at(const expr::Position& position, std::string message, int page);
  void load_document(const Json& root);
  void load_attributes(const Json& head);
  void load_attribute(const std::string& name, const Json& value, const std::string& pointer);
  void load_use(const Json& root);
  void load_schedule(const Json& root);
  void load_filter(const Json& filter, const std::string& pointer);
  void load_frame(const Json& root);
  Shape shape(const Json& node, const std::string& pointer, std::string_view part,
              std::string_view expression_name, const std::vector<std::string>& allowed);
  std::optional<expr::Schema> schema(const Json& node, const std::string& pointer);
  std::optional<DurationValue> timeout(const Json& node, const std::string& pointer);
  LoadedTask task(const Json& node, std::string name, const std::string& pointer);
  const TaskKind* kind_of(const Json& node, const std::string& pointer);
  void load_base(const Json& node, const std::string& pointer, LoadedTask* out);
  Expression compile(const Json& value, const std::string& pointer, BareText bare,
                     const std::vector<std::string>& allowed);
  void check_arguments(const FunctionEntry& entry, const Json& arguments,
                       const std::string& pointer);
  std::vector<std::string> with_variables(std::vector<std::string> allowed) const;

  const DefinitionFile& file_;
  const FunctionRegistry& functions_;
  TaskRegistry kinds_;
  expr::YamlDocument yaml_;
  std::shared_ptr<Definition> definition_ = std::make_shared<Definition>();
  std::vector<Error> errors_;
  std::vector<std::string> names_;      // tasks of the list being read: what `then` may name
  std::vector<std::string> variables_;  // arguments that exist here beside the standard ones
  std::map<std::string, expr::Schema> argument_schemas_;
  std::uint32_t depth_ = 0;
  std::uint32_t branches_ = 0;  // that what is read stands in
};

}  // namespace aios::workflow
