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

/// Gives whole pages that are free back to the kernel. Walks all free blocks: for rare occasions.
void trim_heap();

}  // namespace tern::os
