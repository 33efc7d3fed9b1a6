#pragma once

/// Names a configuration defines, in nested scopes.
/// The global scope is owned by the Config and outlives parsing, because commands are parsed in
/// it; inner scopes live on the parser's stack. Symbols never move. What a symbol stands for is
/// borrowed (a constant, filter, table …) and lives in the same Config.
/// Keywords and attribute names are not symbols: they are looked up by place.

#include "router/base/result.h"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <variant>

#include <boost/unordered/unordered_flat_map.hpp>

namespace tern::attr {
class Value;
}

namespace tern::filter {
class Filter;
struct Function;
}  // namespace tern::filter

namespace tern::config {

struct ProtocolConfig;
struct TableConfig;
struct ThreadGroupConfig;
struct MplsDomainConfig;

enum class SymbolClass : std::uint8_t {
    undefined,
    constant,
    variable,
    function,
    filter,
    protocol,
    protocol_template,
    table,
    attribute,
    mpls_domain,
    mpls_range,
    thread_group,
};

/// "constant", "routing table" … as in errors and `show symbols`.
[[nodiscard]] std::string_view symbol_class_name(SymbolClass kind);

struct Symbol {
    std::string name;
    SymbolClass kind = SymbolClass::undefined;
    Position position = {};
    /// What it stands for; the alternative follows from `kind` (attributes and variables: none).
    std::variant<std::monostate,
                 const attr::Value*,
                 const filter::Function*,
                 const filter::Filter*,
                 ProtocolConfig*,
                 TableConfig*,
                 MplsDomainConfig*,
                 ThreadGroupConfig*>
        target = {};
    /// For the filter language: slot of a variable, or id of an attribute.
    std::uint32_t slot = 0;
    /// For the filter language: static type of a variable or attribute.
    std::uint32_t type = 0;

    template <class T>
    [[nodiscard]] T* as() const {
        T* const* found = std::get_if<T*>(&target);
        return found ? *found : nullptr;
    }
};

/// One level of names.
class Scope {
  public:
    explicit Scope(const Scope* parent) : parent_(parent) {}

    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    /// The innermost symbol of that name, or null.
    [[nodiscard]] const Symbol* find(std::string_view name) const;

    /// The symbol of that name in this very scope, or null.
    [[nodiscard]] Symbol* find_here(std::string_view name);

    /// Adds a symbol; null if the name is taken in this scope.
    Symbol* define(std::string_view name, SymbolClass kind, Position position);

    [[nodiscard]] const Scope* parent() const { return parent_; }

    /// In order of definition.
    [[nodiscard]] const std::deque<Symbol>& symbols() const { return symbols_; }

  private:
    const Scope* parent_;
    std::deque<Symbol> symbols_;
    boost::unordered_flat_map<std::string_view, Symbol*> index_;
};

}  // namespace tern::config
