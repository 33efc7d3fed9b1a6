#pragma once

/// Switches for the tests of RCU: they bring a known defect back, or the mode of a poorer kernel.
/// Tests use them to show that a failure would be seen. Process-wide, so a test throws them in a
/// child process or throws them back. Never used by programs.

#include <cstdint>

namespace tern::locking::rcu::testing {

enum class Fault : std::uint8_t {
    none,
    no_barrier,     ///< writers do not fence the readers: their words may be seen too late
    wait_anywhere,  ///< synchronize() may be called with domains held
};

void set_fault(Fault fault) noexcept;

/// From now on threads of this process fence when they enter and leave a section, as on a kernel
/// that cannot do it for them. Only the calling thread may exist.
void fence_in_readers() noexcept;

}  // namespace tern::locking::rcu::testing
