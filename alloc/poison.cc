#include "alloc/poison.h"

#ifdef TERN_MEMCHECK
#include <valgrind/memcheck.h>
#endif

namespace tern::alloc {

__attribute__((no_sanitize("address", "thread"))) std::uint32_t peek(const std::uint32_t* word) {
    return *static_cast<const volatile std::uint32_t*>(word);
}

}  // namespace tern::alloc

#ifdef TERN_MEMCHECK

namespace tern::alloc {

bool Poison::ask() {
    return RUNNING_ON_VALGRIND != 0;
}

void Poison::tell_valgrind_hidden(const void* start, std::size_t bytes) {
    VALGRIND_MAKE_MEM_NOACCESS(start, bytes);
}

void Poison::tell_valgrind_revealed(const void* start, std::size_t bytes) {
    VALGRIND_MAKE_MEM_UNDEFINED(start, bytes);
}

}  // namespace tern::alloc

#endif
