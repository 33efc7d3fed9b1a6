// A suite whose contestants behave badly, each in a process of its own: the test looks at what the
// harness says about them.

#include "stress/bench/suite.h"

#include <csignal>
#include <cstdlib>

int main(int argc, char** argv) {
    tern::bench::Suite suite("probe");
    tern::bench::Row& row = suite.add({.id = "X1",
                                       .group = "probe",
                                       .text = "processes that go wrong",
                                       .unit = "ns",
                                       .rounds = 2,
                                       .own_process = true});
    // In one process the second call would give 2.
    row.add("tern", [calls = 0.0]() mutable { return ++calls; });
    row.add("crash", [] {
        std::raise(SIGKILL);
        return 0.0;
    });
    row.add("exit", []() -> tern::bench::Sample { std::exit(7); });
    row.contestants.push_back({"unknown", [] { return 1.0; }, "libno-such-library.so"});
    return suite.main(argc, argv);
}
