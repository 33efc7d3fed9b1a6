#include "router/attr/attribute_def.h"

#include "locking/check.h"

#include <algorithm>

#include <fmt/format.h>

namespace tern::attr {

AttributeRegistry::AttributeRegistry() = default;

std::string_view AttributeRegistry::keep(std::string_view text) {
    return texts_.emplace_back(text);
}

void AttributeRegistry::add(const AttributeDefinition& definition) {
    TERN_ASSERT(by_id_.count(definition.id) == 0, "attribute id defined twice: ", definition.id);
    TERN_ASSERT(by_name_.count(definition.name) == 0, "attribute defined twice: ", definition.name);
    AttributeDefinition& row = definitions_.emplace_back(definition);
    row.name = keep(definition.name);
    row.legacy_name = keep(definition.legacy_name);
    by_id_.emplace(row.id, &row);
    by_name_.emplace(row.name, &row);
}

Result<AttributeId> AttributeRegistry::add_custom(std::string_view name, ValueType type) {
    if (const AttributeDefinition* known = find(name)) {
        if (known->type == type && known->id >= custom_base) return known->id;
        return fail(
            fmt::format("Attribute {} already defined as {}", name, type_name(known->type)));
    }
    if (next_custom_ == 0xffff) return fail("Too many custom attributes");
    const AttributeId id = next_custom_++;
    add({.id = id, .name = name, .legacy_name = {}, .type = type});
    return id;
}

Result<AttributeId> AttributeRegistry::add_alias(std::string_view name,
                                                 AttributeId id,
                                                 ValueType type) {
    if (const AttributeDefinition* known = find(name)) {
        if (known->type == type && known->id == id) return id;
        return fail(
            fmt::format("Attribute {} already defined as {}", name, type_name(known->type)));
    }
    AttributeDefinition& row = definitions_.emplace_back();
    row.id = id;
    row.type = type;
    row.name = keep(name);
    by_name_.emplace(row.name, &row);
    return id;
}

const AttributeDefinition* AttributeRegistry::find(AttributeId id) const {
    const auto at = by_id_.find(id);
    return at == by_id_.end() ? nullptr : at->second;
}

const AttributeDefinition* AttributeRegistry::find(std::string_view name) const {
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? nullptr : at->second;
}

std::vector<const AttributeDefinition*> AttributeRegistry::all() const {
    std::vector<const AttributeDefinition*> rows;
    for (const AttributeDefinition& row : definitions_)
        rows.push_back(&row);
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto* a, const auto* b) { return a->id < b->id; });
    return rows;
}

}  // namespace tern::attr
