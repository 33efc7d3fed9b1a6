#pragma once

/// Runs a small program with the real code of the libraries in every interleaving of its threads,
/// on the machine of machine.h. Its sources are compiled as for the thread sanitizer, whose calls
/// the explorer answers (compiler.cc). A thread is a stack that is left before each access to a
/// word which others use too. An execution is given up where it meets one that has read the same:
/// it would go on alike. So programs must be the same each time they are made, may look at nothing
/// else that changes, and have no memory freed while an execution goes on. For tests; one at a
/// time.

#include "stress/weak/machine.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tern::stress::weak {

/// Made before its threads start and never destroyed, only forgotten with all its memory.
class Program {
  public:
    virtual ~Program() = default;

    virtual unsigned threads() const = 0;
    /// What the thread does; it need not end.
    virtual void run(unsigned thread) = 0;
    /// No thread can go on: what is left undone, or nothing.
    virtual std::string_view judge() = 0;
};

struct Findings {
    std::size_t executions = 0;
    std::size_t states = 0;
    std::string wrong;  ///< the first thing found; empty: nothing
};

using Make = Program* (*)();

Findings explore(Make make, Orders orders);

// For programs, and for what stands in for the system.

/// Waits until the word has another value; so the kernel's sleep on a word begins.
void wait_while(const void* word, unsigned bytes, std::uint64_t value);
/// Waits until another thread has stored something, or what was stored has come here.
void yield();
/// The program is wrong.
void fail(std::string_view what);

}  // namespace tern::stress::weak
