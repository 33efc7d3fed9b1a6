#include "alloc/slab.h"

using tern::locking::Domain, tern::locking::Guard, tern::locking::ThreadEntry;

struct Tables {
    static constexpr tern::locking::LockRank rank = 100;
    static constexpr std::string_view name = "tables";
};

struct Route {
    int metric;
};

int main() {
    Domain<Tables> domain;
    ThreadEntry entry;
    Guard<Tables> guard = domain.lock(entry);  // without it, the next line aborts
    tern::alloc::Pool pool(domain, "router");
    tern::alloc::Slab<Route> routes(pool, "routes");
    Route& route = routes.make(10);
    routes.destroy(route);
}
