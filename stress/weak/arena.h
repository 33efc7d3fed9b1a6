#pragma once

/// Memory of the programs that are explored: what they get from operator new while they are made,
/// run or are judged. Each execution starts with an empty one, so that it finds the same addresses,
/// and forgets it with whatever it left there. All other code gets its memory from the C library.
/// Owned by nobody; one thread.

#include <cstdint>

namespace tern::stress::weak {

/// Whose code runs now.
enum class Whose : std::uint8_t { host, maker, thread };

extern constinit Whose whose_code;

void clear_arena();

}  // namespace tern::stress::weak
