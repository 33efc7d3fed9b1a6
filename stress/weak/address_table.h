#pragma once

/// A table by addresses that is emptied without being touched: executions of a model are short and
/// there are very many. Open addressing in a fixed number of slots; too many entries abort. Owned
/// by the machine, used by one thread. It never gives its memory back.

#include "locking/check.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tern::stress::weak {

template <class Entry>
class AddressTable {
  public:
    AddressTable() : slots_(slots_count) {}

    void clear() {
        ++generation_;
        entries_ = 0;
    }

    /// `fresh`: it was not there, and is value-initialised now.
    Entry& at(std::uint64_t address, bool& fresh) {
        std::size_t slot = address * 0x9e3779b97f4a7c15 >> shift;
        while (slots_[slot].generation == generation_ && slots_[slot].address != address)
            slot = (slot + 1) % slots_count;
        Slot& found = slots_[slot];
        fresh = found.generation != generation_;
        if (fresh) {
            TERN_ASSERT(++entries_ < slots_count / 2, "too many words for a model");
            found = {address, generation_, Entry{}};
        }
        return found.entry;
    }

  private:
    static constexpr std::size_t slots_count = 4096;
    static constexpr unsigned shift = 64 - 12;

    struct Slot {
        std::uint64_t address = 0;
        std::uint64_t generation = 0;
        Entry entry{};
    };

    std::vector<Slot> slots_;
    std::uint64_t generation_ = 1;
    std::size_t entries_ = 0;
};

}  // namespace tern::stress::weak
