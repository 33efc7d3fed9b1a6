#pragma once

/// What the torture of alloc compares with: every piece of memory in use has an owner, a size and
/// contents that follow from both, so that pieces that overlap, move or change are seen when they
/// are given back. Owned by one test; each thread has its own Shadow and passes pieces on through a
/// Mailbox. It allocates nothing from what is tested.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace tern::alloc::torture {

/// Where a piece came from.
enum class Kind : std::uint8_t { page, run, object, block };

struct Piece {
    Kind kind;
    std::size_t bytes;
    std::byte* start;
    std::uint64_t stamp;

    /// First and last words, and one in the middle: cheap, and overlaps meet one of them.
    void fill() const {
        for (const std::size_t at : places())
            std::memcpy(start + at, &stamp, sizeof(stamp));
    }

    bool intact() const {
        for (const std::size_t at : places()) {
            if (std::memcmp(start + at, &stamp, sizeof(stamp)) != 0) return false;
        }
        return true;
    }

  private:
    std::array<std::size_t, 3> places() const {
        return {0, bytes / 2 / 8 * 8, (bytes - 8) / 8 * 8};
    }
};

/// Pieces on their way to another thread.
class Mailbox {
  public:
    void put(const Piece& piece) {
        const std::lock_guard lock(mutex_);
        pieces_.push_back(piece);
    }

    std::vector<Piece> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(pieces_, {});
    }

  private:
    std::mutex mutex_;
    std::vector<Piece> pieces_;
};

}  // namespace tern::alloc::torture
