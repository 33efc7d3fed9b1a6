// Rows L1 to L13: lock domains, their checks and reports, and RCU, against what people know.

#include "stress/bench/locking_rows.h"

int main(int argc, char** argv) {
    tern::bench::Suite suite("locking");
    tern::bench::add_mutex_rows(suite);
    tern::bench::add_order_rows(suite);
    tern::bench::add_report_rows(suite);
    tern::bench::add_contention_rows(suite);
    tern::bench::add_reader_rows(suite);
    return suite.main(argc, argv);
}
