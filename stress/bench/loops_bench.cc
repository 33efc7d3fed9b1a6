// Rows P1 to P19: events, timers, sockets and scheduling against event loop libraries.

#include "stress/bench/loops_fixture.h"
#include "stress/bench/suite.h"

#include <sys/resource.h>

int main(int argc, char** argv) {
    // Some rows hold thousands of descriptors.
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    tern::bench::Suite suite("loops");
    tern::bench::add_posting_rows(suite);
    tern::bench::add_event_rows(suite);
    tern::bench::add_timer_rows(suite);
    tern::bench::add_scale_rows(suite);
    tern::bench::add_fairness_rows(suite);
    tern::bench::add_socket_rows(suite);
    return suite.main(argc, argv);
}
