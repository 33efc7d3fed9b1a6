#pragma once

/// One call of one contestant: here, or in a fresh process of this same program when memory has to
/// start empty or another malloc has to be loaded first. The parent waits for the child and reads
/// one line from it; a child that crashes, hangs or lacks its library gives an error and no figure.
/// The suite calls it from its only thread.

#include "stress/bench/row.h"

#include <string>

namespace tern::bench {

struct Cell {
    Sample sample{nothing};
    double cores = nothing;
    std::string error;  ///< empty if the sample is good
};

/// A child that needs longer is ended.
inline constexpr unsigned cell_seconds_max = 120;

Cell run_here(const Contestant& contestant);

/// Starts this program again as `--cell ROW CONTESTANT DESCRIPTOR`.
Cell run_in_own_process(const Row& row, const Contestant& contestant);

/// What that program then does; returns its exit status.
int cell_main(const Contestant& contestant, int descriptor);

}  // namespace tern::bench
