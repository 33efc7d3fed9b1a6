#pragma once

/// A machine whose memory orders what the language orders, and nothing else. Each atomic word has
/// the values that were stored in it, oldest first; a thread may still read an old one unless it
/// knows of a newer one. It knows what it has read and written, and, by an acquire, what the
/// release knew that it has read from; sequentially consistent accesses see the last one to their
/// word. A release sequence goes on through read-modify-writes. Plain accesses are checked for
/// races. Left out: fences; stores that overtake an older one of another thread to their word;
/// loads that see a store which comes later.

#include "stress/weak/address_table.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tern::stress::weak {

inline constexpr unsigned threads_max = 4;
inline constexpr unsigned words_max = 128;

enum class Access : std::uint8_t { load, store, exchange, failed_exchange };

/// The order to take for one that the program asks for: tests weaken some, to see what depends on
/// them. Orders are those of the compiler (__ATOMIC_RELAXED and so on).
using Orders = int (*)(Access access, int order);

int as_written(Access access, int order);

/// Picks one of `count` possibilities; the explorer's.
class Chooser {
  public:
    virtual unsigned choose(unsigned count) = 0;

  protected:
    ~Chooser() = default;
};

/// The memory of one execution after the other. Used by one thread of the host; `thread` is one of
/// the model.
class Machine {
  public:
    Machine(Chooser& chooser, Orders orders) : chooser_(chooser), orders_(orders) {}

    /// For another execution.
    void clear();

    std::uint64_t load(unsigned thread, const void* word, unsigned bytes, int order);
    void store(unsigned thread, void* word, unsigned bytes, std::uint64_t value, int order);

    /// What was there; `change(old)` is stored.
    template <class Change>
    std::uint64_t exchange(
        unsigned thread, void* word, unsigned bytes, int order, Change&& change) {
        const std::uint64_t old = newest(word, bytes);
        change_newest(thread, word, bytes, change(old), order);
        return old;
    }

    /// `expected` becomes what was there. Never fails without a reason.
    bool compare_exchange(unsigned thread,
                          void* word,
                          unsigned bytes,
                          std::uint64_t& expected,
                          std::uint64_t value,
                          int success,
                          int failure);

    /// A plain access; the memory is the host's.
    void plain_read(unsigned thread, const void* at, std::size_t bytes);
    void plain_write(unsigned thread, const void* at, std::size_t bytes);

    std::uint64_t newest(const void* word, unsigned bytes) {
        return words_[number_of(word, bytes)].values.back().value;
    }

    /// All stores so far reach the thread, as they do in the end; whether there were any.
    bool catch_up(unsigned thread);

    /// The thread goes on, where it would have gone on otherwise had others been first.
    void passed(unsigned thread) { remember(thread, 0); }

    /// Equal for executions that go on alike: programs without races depend on what they read.
    std::uint64_t fingerprint() const;

    std::size_t stores() const { return stores_; }

    const std::string& race() const { return race_; }

  private:
    using Clock = std::array<std::uint32_t, threads_max>;

    /// How far into the values of each word, and what each thread has done.
    struct Knowledge {
        std::array<std::uint8_t, words_max> seen{};
        Clock clock{};

        void add(const Knowledge& other, unsigned words);
    };

    struct Value {
        std::uint64_t value = 0;
        std::uint64_t writer = 0;  ///< what who stored it had read before, and knew
        Knowledge knowledge;
    };

    struct Word {
        std::uint64_t address = 0;
        std::uint32_t last_consistent = 0;  ///< the last sequentially consistent store
        std::vector<Value> values;
    };

    /// When each thread last did it, by its own clock.
    struct Shadow {
        Clock reads{};
        Clock writes{};
        Clock atomic_reads{};
        Clock atomic_writes{};
    };

    unsigned number_of(const void* word, unsigned bytes);
    void read(unsigned thread, unsigned number, std::uint32_t index, int order);
    void change_newest(unsigned thread, void* word, unsigned bytes, std::uint64_t value, int order);
    void append(unsigned thread, void* word, unsigned bytes, Value value, int order);
    std::uint64_t fingerprint_of(const Knowledge& knowledge) const;
    Shadow& shadow_of(std::uint64_t address);
    void check(unsigned thread, std::uint64_t at, const Clock& others, const char* what);
    void remember(unsigned thread, std::uint64_t what);

    Chooser& chooser_;
    Orders orders_;
    AddressTable<unsigned> numbers_;
    std::vector<Word> words_;
    AddressTable<Shadow> shadows_;
    std::array<Knowledge, threads_max> knowledge_{};
    std::array<std::uint64_t, threads_max> history_{};
    std::size_t stores_ = 0;
    std::string race_;
};

}  // namespace tern::stress::weak
