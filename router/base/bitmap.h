#pragma once

/// Dense sets of small integers (prefix ids, path ids, label numbers).
/// Bitmap is one growing array; ChunkedBitmap keeps only the parts in use, so that a reader which
/// announced few of many ids costs little. Each belongs to whoever holds it, under that owner's
/// domain. They never shrink the range of valid questions: any u32 may be tested.

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace tern {

class Bitmap {
  public:
    [[nodiscard]] bool test(std::uint32_t bit) const {
        const std::size_t word = bit / 64;
        return word < words_.size() && (words_[word] >> (bit % 64) & 1) != 0;
    }

    /// Returns true when the bit was clear before.
    bool set(std::uint32_t bit);
    /// Returns true when the bit was set before.
    bool clear(std::uint32_t bit);
    void clear_all();

    [[nodiscard]] std::uint32_t count() const { return count_; }

    [[nodiscard]] bool empty() const { return count_ == 0; }

    [[nodiscard]] std::optional<std::uint32_t> find_first_set(std::uint32_t from) const;
    /// Always finds one, perhaps past the current end.
    [[nodiscard]] std::uint32_t find_first_clear(std::uint32_t from) const;

    [[nodiscard]] std::size_t memory() const { return words_.capacity() * sizeof(std::uint64_t); }

  private:
    std::vector<std::uint64_t> words_;
    std::uint32_t count_ = 0;
};

class ChunkedBitmap {
  public:
    /// Bits of one chunk: 512 bytes, so that a sparse set pays for what it touches.
    static constexpr std::uint32_t chunk_bits = 4096;

    [[nodiscard]] bool test(std::uint32_t bit) const {
        const std::size_t index = bit / chunk_bits;
        if (index >= chunks_.size() || !chunks_[index]) return false;
        const std::uint32_t inside = bit % chunk_bits;
        return (chunks_[index]->words[inside / 64] >> (inside % 64) & 1) != 0;
    }

    /// Makes this an equal set.
    void copy_from(const ChunkedBitmap& other);

    /// Returns true when the bit was clear before.
    bool set(std::uint32_t bit);
    /// Returns true when the bit was set before. A chunk that becomes empty is given back.
    bool clear(std::uint32_t bit);
    void clear_all();

    [[nodiscard]] std::uint32_t count() const { return count_; }

    [[nodiscard]] bool empty() const { return count_ == 0; }

    [[nodiscard]] std::optional<std::uint32_t> find_first_set(std::uint32_t from) const;
    [[nodiscard]] std::size_t memory() const;

    friend bool operator==(const ChunkedBitmap& a, const ChunkedBitmap& b);

  private:
    struct Chunk {
        std::array<std::uint64_t, chunk_bits / 64> words = {};
        std::uint32_t used = 0;

        friend bool operator==(const Chunk&, const Chunk&) = default;
    };

    [[nodiscard]] const Chunk* chunk(std::size_t index) const {
        return index < chunks_.size() ? chunks_[index].get() : nullptr;
    }

    std::vector<std::unique_ptr<Chunk>> chunks_;
    std::uint32_t count_ = 0;
};

}  // namespace tern
