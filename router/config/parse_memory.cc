#include "router/config/config.h"
#include "router/config/option.h"
#include "router/config/parse_top.h"
#include "router/config/values.h"

#include <array>

namespace tern::config {

namespace {

using M = MemoryConfig;

constexpr std::array rows = {
    option::number<&M::keep_pages_min>(
        "keep pages min",
        {},
        {"64", "fewer free pages than this are filled up to twice it", Effect::modify}),
    option::number<&M::keep_pages_max>(
        "keep pages max",
        {},
        {"1024", "of more free pages than this the kernel gets all but half of it",
         Effect::modify}),
    option::number<&M::cleanup_pages_bulk>(
        "cleanup pages bulk",
        {},
        {"128",
         "most pages filled up or given back in one step; a call of the kernel counts as 8, and so "
         "does a page that it has to find memory for",
         Effect::modify}),
};

}  // namespace

Rows memory_rows() {
    return rows;
}

void parse_memory_statement(Parser& p) {
    const Position place = p.position();
    MemoryConfig& memory = p.config().memory;
    const std::array groups = {memory_rows()};
    parse_block(p, memory, groups);
    if (!p.ok()) return;
    if (const auto error = memory.over({}).error()) p.fail(place, "Memory: " + *error);
}

}  // namespace tern::config
