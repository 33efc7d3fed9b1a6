#pragma once

/// What the configuration parser asks of the filter language, and nothing more.
/// One object serves one Config and owns everything parsed into it: syntax trees, compiled
/// filters, functions, constants. The Config owns that object. A command line gets one of its own.
/// It is created by the factory in SyntaxRegistry, so this folder's parser knows no filter type.

#include "router/attr/value.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace tern::filter {
class Filter;
}

namespace tern::config {

class Parser;

class FilterLanguage {
  public:
    virtual ~FilterLanguage() = default;

    /// `NAME = term` of `define`, after the word `define`, up to but without the semicolon.
    virtual void parse_define(Parser& parser) = 0;

    /// `TYPE NAME` or `bgp N TYPE NAME` of `attribute`, without the semicolon.
    virtual void parse_attribute(Parser& parser) = 0;

    /// `NAME [locals] { … }` of a top-level `filter`, all of it.
    virtual void parse_filter(Parser& parser) = 0;

    /// The rest of a top-level `function`, all of it.
    virtual void parse_function(Parser& parser) = 0;

    /// `term` of a top-level `eval`; evaluated, result dropped.
    virtual void parse_eval(Parser& parser) = 0;

    /// `(fn, "text")` or `(f, g, N)` of bt_test_suite and bt_test_same; checked and kept.
    virtual void parse_test(Parser& parser) = 0;

    /// A filter where an option wants one: `filter NAME`, `filter [locals] { … }`, `where term`.
    /// The next token is the word `filter` or `where`. Null only if the parser has failed.
    virtual const filter::Filter* parse_filter_use(Parser& parser) = 0;

    /// `{ attr = …; … }` behind a static route. The next token is the left brace.
    virtual const filter::Filter* parse_route_block(Parser& parser) = 0;

    /// A constant term: literal, constant symbol or `( expression )`, for options that take
    /// a number, address, string or switch. The value may borrow from the language.
    virtual attr::Value parse_constant(Parser& parser) = 0;

    /// `filter stacks V E`: bounds for filters parsed from now on.
    virtual void set_stacks(std::uint32_t values, std::uint32_t calls) = 0;

    /// Adds the words that stand for attributes in filters, for did-you-mean.
    virtual void list_words(std::vector<std::string_view>& words) const = 0;

    virtual const filter::Filter* accept_all() = 0;
    virtual const filter::Filter* reject_all() = 0;

    /// Same behaviour by structure, so that nothing needs to be reloaded.
    virtual bool same(const filter::Filter& a, const filter::Filter& b) = 0;
};

using FilterLanguageFactory = std::unique_ptr<FilterLanguage> (*)(void* context);

}  // namespace tern::config
