#include "alloc/poison.h"

#include <array>

#include <sys/uio.h>
#include <unistd.h>

#ifdef TERN_MEMCHECK
#include <valgrind/memcheck.h>
#endif

namespace tern::alloc {

__attribute__((no_sanitize("address", "thread"))) std::uint32_t peek(const std::uint32_t* word) {
    return *static_cast<const volatile std::uint32_t*>(word);
}

__attribute__((no_sanitize("address", "thread"))) void* peek(void* const* word) {
    return *static_cast<void* const volatile*>(word);
}

bool readable(const void* start, std::size_t bytes) {
    std::array<std::byte, 128> copy;
    const iovec from{const_cast<void*>(start), bytes < copy.size() ? bytes : copy.size()};
    const iovec to{copy.data(), copy.size()};
    return ::process_vm_readv(::getpid(), &to, 1, &from, 1, 0) ==
           static_cast<ssize_t>(from.iov_len);
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
