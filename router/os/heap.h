#pragma once

/// The C library's heap, where everything lives that is not in pages of our own: configurations,
/// journals, indexes. It keeps what is freed unless told otherwise, so a large configuration that
/// is gone would stay resident. Any thread; the C library does its own locking. Never allocates.

#include <cstddef>

namespace tern::os {

struct HeapUse {
    std::size_t in_use = 0;  ///< bytes
    std::size_t free = 0;    ///< bytes, perhaps still resident
};

[[nodiscard]] HeapUse heap_use();

/// From now on blocks of 1 MiB and more are mappings of their own, gone when they are freed.
/// Unasked, the C library raises that size up to 32 MiB as such blocks come and go, puts them into
/// the heap and keeps the holes they leave: address space creeps up with each large configuration.
/// For the start of the process.
void map_large_blocks();

/// Gives whole pages that are free back to the kernel. Walks all free blocks: for rare occasions.
void trim_heap();

}  // namespace tern::os
