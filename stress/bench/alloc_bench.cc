// The program of rows A1 to A17: slabs, arenas, pools and pages against mallocs and pool libraries.

#include "stress/bench/alloc_bench.h"

int main(int argc, char** argv) {
    tern::bench::Suite suite("alloc");
    tern::bench::add_object_rows(suite);
    tern::bench::add_pool_rows(suite);
    tern::bench::add_page_rows(suite);
    tern::bench::add_memory_rows(suite);
    return suite.main(argc, argv);
}
