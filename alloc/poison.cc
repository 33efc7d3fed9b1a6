#include "alloc/poison.h"

#ifdef TERN_MEMCHECK

#include <valgrind/memcheck.h>

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
