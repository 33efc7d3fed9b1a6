#pragma once

/// The filter language's side of the configuration parser: definitions, filters, constants.
/// One FilterSyntax serves one Config (or one command line) and owns all code, sets and constants
/// parsed with it; the Config owns the FilterSyntax. Used on the loop that parses. It never runs a
/// filter on a route; evaluating constants is all.

#include "alloc/arena.h"
#include "router/attr/attribute_def.h"
#include "router/config/filter_language.h"
#include "router/config/parser.h"
#include "router/filter/ast.h"
#include "router/filter/library.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

namespace tern::config {

/// A unit test registered by bt_test_suite or bt_test_same.
struct FilterTest {
    const filter::FunctionCode* first = nullptr;
    const filter::FunctionCode* second = nullptr;  ///< null: a suite
    bool expect_same = true;
    std::string text;
};

class FilterSyntax final : public FilterLanguage {
  public:
    /// Attributes known to filters; custom ones are added. It must outlive this object.
    explicit FilterSyntax(attr::AttributeRegistry& attributes)
        : attributes_(attributes), library_(arena_) {}

    void parse_define(Parser& parser) override;
    void parse_attribute(Parser& parser) override;
    void parse_filter(Parser& parser) override;
    void parse_function(Parser& parser) override;
    void parse_eval(Parser& parser) override;
    void parse_test(Parser& parser) override;
    const filter::Filter* parse_filter_use(Parser& parser) override;
    const filter::Filter* parse_route_block(Parser& parser) override;
    attr::Value parse_constant(Parser& parser) override;
    void set_stacks(std::uint32_t values, std::uint32_t calls) override;
    void list_words(std::vector<std::string_view>& words) const override;
    const filter::Filter* accept_all() override;
    const filter::Filter* reject_all() override;
    bool same(const filter::Filter& a, const filter::Filter& b) override;

    /// Any term, for the command `eval`: its value, or an error in the parser. `print` in functions
    /// goes to `environment`, which may be null.
    attr::Value evaluate(Parser& parser, filter::Environment* environment);

    [[nodiscard]] attr::AttributeRegistry& attributes() { return attributes_; }

    [[nodiscard]] filter::Library& library() { return library_; }

    [[nodiscard]] alloc::Arena& arena() { return arena_; }

    [[nodiscard]] const std::deque<FilterTest>& tests() const { return tests_; }

  private:
    filter::Function& make_function(std::string_view name, Position position);
    const filter::Filter* make_route_block(Parser& parser);
    const filter::Filter* finish_filter(Parser& parser, filter::Function& function);

    attr::AttributeRegistry& attributes_;
    alloc::Arena arena_;
    filter::Library library_;
    std::deque<attr::Value> constants_;
    std::deque<FilterTest> tests_;
    /// By hash of the program; those that say the same are one, but for a second one of a hash.
    boost::unordered_flat_map<std::uint64_t, const filter::Filter*> route_blocks_;
};

/// For SyntaxRegistry; `context` is an attr::AttributeRegistry.
[[nodiscard]] std::unique_ptr<FilterLanguage> make_filter_language(void* context);

}  // namespace tern::config
