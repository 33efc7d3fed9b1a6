#include "router/os/heap.h"

#include <malloc.h>

namespace tern::os {

HeapUse heap_use() {
    const struct mallinfo2 info = ::mallinfo2();
    return {.in_use = info.uordblks + info.hblkhd, .free = info.fordblks};
}

void map_large_blocks() {
    ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

void trim_heap() {
    ::malloc_trim(0);
}

}  // namespace tern::os
