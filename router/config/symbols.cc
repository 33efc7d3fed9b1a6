#include "router/config/symbols.h"

namespace tern::config {

std::string_view symbol_class_name(SymbolClass kind) {
    switch (kind) {
        case SymbolClass::undefined:
            return "undefined";
        case SymbolClass::constant:
            return "constant";
        case SymbolClass::variable:
            return "variable";
        case SymbolClass::function:
            return "function";
        case SymbolClass::filter:
            return "filter";
        case SymbolClass::protocol:
            return "protocol";
        case SymbolClass::protocol_template:
            return "protocol template";
        case SymbolClass::table:
            return "routing table";
        case SymbolClass::attribute:
            return "custom attribute";
        case SymbolClass::mpls_domain:
            return "MPLS domain";
        case SymbolClass::mpls_range:
            return "MPLS label range";
        case SymbolClass::thread_group:
            return "unknown type";
    }
    return "unknown type";
}

const Symbol* Scope::find(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent_) {
        const auto found = scope->index_.find(name);
        if (found != scope->index_.end()) return found->second;
    }
    return nullptr;
}

Symbol* Scope::find_here(std::string_view name) {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : found->second;
}

Symbol* Scope::define(std::string_view name, SymbolClass kind, Position position) {
    if (find_here(name) != nullptr) return nullptr;
    Symbol& symbol = symbols_.emplace_back();
    symbol.name = name;
    symbol.kind = kind;
    symbol.position = position;
    index_.emplace(symbol.name, &symbol);
    return &symbol;
}

}  // namespace tern::config
