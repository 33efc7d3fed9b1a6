#pragma once

/// Runs this program under another malloc. A malloc can only be chosen before a program starts, so
/// the program starts itself again with the library preloaded. Called first in main(), with one
/// thread. It refuses a library that did not come in, since the figures would be another malloc's.

#include <string>

namespace tern::oom {

/// The malloc of the C library.
inline constexpr const char* c_library = "glibc";

/// Returns in a process in which `library` ("libjemalloc.so.2", a path, or `c_library`) serves
/// malloc; false with a message on standard error if there is none.
[[nodiscard]] bool run_under(const std::string& library, char** argv);

}  // namespace tern::oom
