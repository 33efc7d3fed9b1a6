#include "router/base/bitmap.h"

#include <algorithm>

namespace tern {

bool Bitmap::set(std::uint32_t bit) {
    const std::size_t word = bit / 64;
    if (word >= words_.size()) words_.resize(word + 1);
    const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
    if ((words_[word] & mask) != 0) return false;
    words_[word] |= mask;
    ++count_;
    return true;
}

bool Bitmap::clear(std::uint32_t bit) {
    if (!test(bit)) return false;
    words_[bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
    --count_;
    return true;
}

void Bitmap::clear_all() {
    std::vector<std::uint64_t>().swap(words_);
    count_ = 0;
}

std::optional<std::uint32_t> Bitmap::find_first_set(std::uint32_t from) const {
    std::size_t word = from / 64;
    if (word >= words_.size()) return std::nullopt;
    std::uint64_t bits = words_[word] & (~std::uint64_t{0} << (from % 64));
    while (bits == 0) {
        if (++word == words_.size()) return std::nullopt;
        bits = words_[word];
    }
    return static_cast<std::uint32_t>(word * 64 + static_cast<unsigned>(std::countr_zero(bits)));
}

std::uint32_t Bitmap::find_first_clear(std::uint32_t from) const {
    std::size_t word = from / 64;
    if (word >= words_.size()) return from;
    std::uint64_t bits = ~words_[word] & (~std::uint64_t{0} << (from % 64));
    while (bits == 0) {
        if (++word == words_.size()) return static_cast<std::uint32_t>(word * 64);
        bits = ~words_[word];
    }
    return static_cast<std::uint32_t>(word * 64 + static_cast<unsigned>(std::countr_zero(bits)));
}

void ChunkedBitmap::copy_from(const ChunkedBitmap& other) {
    clear_all();
    chunks_.resize(other.chunks_.size());
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
        if (other.chunks_[i]) chunks_[i] = std::make_unique<Chunk>(*other.chunks_[i]);
    }
    count_ = other.count_;
}

bool operator==(const ChunkedBitmap& a, const ChunkedBitmap& b) {
    if (a.count_ != b.count_) return false;
    const std::size_t chunks = std::max(a.chunks_.size(), b.chunks_.size());
    for (std::size_t i = 0; i < chunks; ++i) {
        const ChunkedBitmap::Chunk* mine = a.chunk(i);
        const ChunkedBitmap::Chunk* other = b.chunk(i);
        if ((mine == nullptr) != (other == nullptr)) return false;
        if (mine != nullptr && !(*mine == *other)) return false;
    }
    return true;
}

bool ChunkedBitmap::set(std::uint32_t bit) {
    const std::size_t index = bit / chunk_bits;
    if (index >= chunks_.size()) chunks_.resize(index + 1);
    std::unique_ptr<Chunk>& chunk = chunks_[index];
    if (!chunk) chunk = std::make_unique<Chunk>();
    const std::uint32_t inside = bit % chunk_bits;
    const std::uint64_t mask = std::uint64_t{1} << (inside % 64);
    if ((chunk->words[inside / 64] & mask) != 0) return false;
    chunk->words[inside / 64] |= mask;
    ++chunk->used;
    ++count_;
    return true;
}

bool ChunkedBitmap::clear(std::uint32_t bit) {
    if (!test(bit)) return false;
    std::unique_ptr<Chunk>& chunk = chunks_[bit / chunk_bits];
    const std::uint32_t inside = bit % chunk_bits;
    chunk->words[inside / 64] &= ~(std::uint64_t{1} << (inside % 64));
    --count_;
    if (--chunk->used == 0) chunk.reset();
    return true;
}

void ChunkedBitmap::clear_all() {
    std::vector<std::unique_ptr<Chunk>>().swap(chunks_);
    count_ = 0;
}

std::optional<std::uint32_t> ChunkedBitmap::find_first_set(std::uint32_t from) const {
    std::uint32_t inside = from % chunk_bits;
    for (std::size_t index = from / chunk_bits; index < chunks_.size(); ++index, inside = 0) {
        if (!chunks_[index]) continue;
        const auto& words = chunks_[index]->words;
        std::uint64_t bits = words[inside / 64] & (~std::uint64_t{0} << (inside % 64));
        for (std::size_t word = inside / 64;;) {
            if (bits != 0) {
                return static_cast<std::uint32_t>(index * chunk_bits + word * 64 +
                                                  static_cast<unsigned>(std::countr_zero(bits)));
            }
            if (++word == words.size()) break;
            bits = words[word];
        }
    }
    return std::nullopt;
}

std::size_t ChunkedBitmap::memory() const {
    std::size_t bytes = chunks_.capacity() * sizeof(chunks_[0]);
    for (const auto& chunk : chunks_) {
        if (chunk) bytes += sizeof(Chunk);
    }
    return bytes;
}

}  // namespace tern
