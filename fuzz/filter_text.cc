// Filters of any text are refused with a place or can be run, disassembled and compared.

#include "fuzz/fuzz_target.h"
#include "locking/check.h"
#include "router/config/filter_bench.h"
#include "router/filter/disassembler.h"

#include <string>

using namespace tern;  // NOLINT(google-build-using-namespace): one program, one file

TERN_FUZZ(filter_text, data, size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    config::testing::Bench bench(text);
    if (!bench.definitions()) {
        TERN_ASSERT(!bench.parser->error().text.empty(), "an error says what it is");
        return;
    }
    config::testing::TestEnvironment environment;
    for (const config::Symbol& symbol : bench.config.scope().symbols()) {
        if (symbol.kind != config::SymbolClass::filter) continue;
        const auto* const filter = symbol.as<const filter::Filter>();
        TERN_ASSERT(filter->same_as(*filter), "a filter is what it is");
        TERN_ASSERT(!filter::disassemble(*filter->code()).empty(), "code can be shown");
        alloc::Arena arena;
        attr::AttributeList list(arena, nullptr);
        config::testing::fill(list);
        const net::Prefix net = net::Prefix::ip4(0x0a010200, 24);
        const filter::RouteFacts facts{"peer1", net::IpAddress::v4(0x0a000001), 11, 100};
        filter::RouteView route(list, net, facts);
        (void)filter->run(route, environment);
    }
}
