#include "stress/weak/arena.h"

#include "locking/check.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>

namespace tern::stress::weak {

constinit Whose whose_code = Whose::host;

namespace {

alignas(64) constinit std::byte arena[1 << 20]{};
constinit std::size_t used = 0;

bool in_arena(const void* at) {
    const auto* const byte = static_cast<const std::byte*>(at);
    return std::less_equal<>()(&arena[0], byte) && std::less<>()(byte, &arena[0] + sizeof arena);
}

void* take(std::size_t bytes, std::size_t alignment) {
    if (whose_code == Whose::host) {
        const std::size_t rounded = (bytes + alignment) / alignment * alignment;
        return std::aligned_alloc(alignment, rounded);
    }
    used = (used + alignment - 1) / alignment * alignment;
    void* const taken = &arena[used];
    used += bytes;
    TERN_ASSERT(used <= sizeof arena, "too much memory for a model");
    return taken;
}

void give_back(void* memory) {
    if (!in_arena(memory)) std::free(memory);
}

}  // namespace

void clear_arena() {
    std::memset(arena, 0, used);
    used = 0;
}

}  // namespace tern::stress::weak

void* operator new(std::size_t bytes) {
    return tern::stress::weak::take(bytes, 16);
}

void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return tern::stress::weak::take(bytes, static_cast<std::size_t>(alignment));
}

void operator delete(void* memory) noexcept {
    tern::stress::weak::give_back(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    tern::stress::weak::give_back(memory);
}

void operator delete(void* memory, std::align_val_t) noexcept {
    tern::stress::weak::give_back(memory);
}

void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    tern::stress::weak::give_back(memory);
}
