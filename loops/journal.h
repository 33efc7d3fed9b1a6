#pragma once

/// A sequence of items from one writer to readers of any speed, without locks between them.
/// The writer pushes under `domain`; each reader, in its own thread, follows at its own pace and
/// publishes how far it has got. A block of items is freed when it lies behind every reader, so
/// reading needs no grace period. Bounded: a reader more than `capacity` items behind is lost, is
/// told so by its next read, and starts anew at the end (its user feeds it from scratch). A lost
/// reader with no item in hand holds no memory from then on; one that has read without releasing
/// does until it releases. It never waits and never calls its users.

#include "locking/domain.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace tern::loops {

/// `capacity` in items. The writer holds the domain given to the constructor; each reader belongs
/// to one thread and leaves before the journal goes. A `T` can be made of nothing and assigned to;
/// items end with their block. push() allocates once per block, reading never.
template <class T, std::size_t block_items = 256>
class Journal {
    struct Block {
        std::uint64_t first = 0;  ///< sequence of items[0]
        std::atomic<Block*> next{nullptr};
        std::array<T, block_items> items{};
    };

  public:
    class Reader;

    Journal(locking::DomainBase& domain, std::uint64_t capacity)
        : domain_(domain), capacity_(capacity), first_(new Block), open_(first_) {}

    ~Journal() {
        TERN_ASSERT(readers_.empty(), "journal destroyed with readers");
        while (first_ != nullptr)
            delete std::exchange(first_, first_->next.load());
    }

    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// Under the domain.
    void push(T item) {
        domain_.assert_held();
        const std::uint64_t sequence = end_.load(std::memory_order_relaxed);
        if (sequence == open_->first + block_items) {
            auto* const block = new Block;
            block->first = sequence;
            open_->next.store(block, std::memory_order_release);
            open_ = block;
            reclaim();
        }
        open_->items[sequence - open_->first] = std::move(item);
        end_.store(sequence + 1, std::memory_order_release);
    }

    /// Number of items pushed so far; the sequence of the next one.
    std::uint64_t end() const { return end_.load(std::memory_order_acquire); }

    /// Frees what lies behind every reader. Under the domain; push() does it once per block.
    void reclaim();

    /// Items kept in memory now; under the domain.
    std::uint64_t held() const { return end() - first_->first; }

  private:
    locking::DomainBase& domain_;
    const std::uint64_t capacity_;
    Block* first_;
    Block* open_;
    std::atomic<std::uint64_t> end_{0};
    std::mutex readers_mutex_;
    std::vector<Reader*> readers_;
};

/// Used by one thread at a time; borrows the journal. Neither next() nor release() takes a lock.
template <class T, std::size_t block_items>
class Journal<T, block_items>::Reader {
  public:
    /// Starts at the end. Construction needs the journal's domain; destruction does not.
    explicit Reader(Journal& journal) : journal_(journal) {
        journal.domain_.assert_held();
        restart();
        const std::lock_guard lock(journal.readers_mutex_);
        journal.readers_.push_back(this);
    }

    ~Reader() {
        const std::lock_guard lock(journal_.readers_mutex_);
        std::erase(journal_.readers_, this);
    }

    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// The next item, or nullptr at the end or when lost. Valid until released.
    const T* next() {
        if (lost() || position_ == journal_.end_.load(std::memory_order_acquire)) return nullptr;
        if (!in_hand_ && !take_in_hand()) return nullptr;
        if (position_ == block_->first + block_items) {
            block_ = block_->next.load(std::memory_order_acquire);
        }
        return &block_->items[position_++ - block_->first];
    }

    /// Sequence of the item that next() gives next.
    std::uint64_t position() const { return position_; }

    /// Everything before `sequence` (at most position()) is done with.
    void release_through(std::uint64_t sequence) {
        TERN_ASSERT(sequence <= position_, "journal reader releases what it has not read");
        if (!in_hand_) return;
        in_hand_ = sequence != position_;
        cursor_.store(pack(sequence, in_hand_), std::memory_order_release);
    }

    void release() { release_through(position_); }

    /// Fell too far behind: restart() under the journal's domain, and feed from scratch.
    bool lost() const { return lost_.load(std::memory_order_acquire); }

    /// Goes on at the end, with nothing in hand. Needs the journal's domain.
    void restart() {
        journal_.domain_.assert_held();
        block_ = journal_.open_;
        position_ = journal_.end_.load(std::memory_order_relaxed);
        in_hand_ = false;
        cursor_.store(pack(position_, false), std::memory_order_release);
        lost_.store(false, std::memory_order_release);
    }

  private:
    friend class Journal;

    /// The cursor of a reader that was passed over: it must not touch any block.
    static constexpr std::uint64_t passed_over = UINT64_MAX;

    static constexpr std::uint64_t pack(std::uint64_t sequence, bool in_hand) {
        return sequence << 1 | static_cast<std::uint64_t>(in_hand);
    }

    /// From here on the writer must not pass us over. False if it has already.
    bool take_in_hand() {
        std::uint64_t expected = pack(position_, false);
        in_hand_ = cursor_.compare_exchange_strong(expected, pack(position_, true),
                                                   std::memory_order_acq_rel);
        return in_hand_;
    }

    /// For the writer: whether the reader lets go of the journal; its items count no more then.
    bool pass_over(std::uint64_t cursor) {
        lost_.store(true, std::memory_order_release);
        return (cursor & 1) == 0 &&
               cursor_.compare_exchange_strong(cursor, passed_over, std::memory_order_acq_rel);
    }

    Journal& journal_;
    const Block* block_ = nullptr;
    std::uint64_t position_ = 0;
    bool in_hand_ = false;                  ///< has read what it has not released
    std::atomic<std::uint64_t> cursor_{0};  ///< all before is released; the lowest bit: in hand
    std::atomic<bool> lost_{false};
};

template <class T, std::size_t block_items>
void Journal<T, block_items>::reclaim() {
    domain_.assert_held();
    const std::uint64_t end = end_.load(std::memory_order_relaxed);
    std::uint64_t oldest = end;
    {
        const std::lock_guard lock(readers_mutex_);
        for (Reader* reader : readers_) {
            const std::uint64_t cursor = reader->cursor_.load(std::memory_order_acquire);
            const bool gone = cursor == Reader::passed_over;
            if (gone || (end - (cursor >> 1) > capacity_ && reader->pass_over(cursor))) continue;
            oldest = std::min(oldest, cursor >> 1);
        }
    }
    // Strictly behind: a reader at the end of a block has yet to follow its `next`.
    while (first_ != open_ && first_->first + block_items < oldest) {
        delete std::exchange(first_, first_->next.load(std::memory_order_relaxed));
    }
}

}  // namespace tern::loops
