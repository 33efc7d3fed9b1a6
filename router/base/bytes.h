#pragma once

/// Reading and writing of big-endian fields over caller's memory, for every codec.
/// Both have sticky failure: a read past the end gives zeros and a write past the end does nothing,
/// and both remember it, so that a codec reads all fields and checks once. Views returned by a
/// Reader live as long as its input. Pure values for any domain; they never allocate.

#include "locking/check.h"

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace tern {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Equality of contents.
[[nodiscard]] inline bool same_bytes(Bytes a, Bytes b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

[[nodiscard]] inline std::uint16_t load_u16(const std::uint8_t* at) {
    std::uint16_t v = 0;
    std::memcpy(&v, at, sizeof v);
    return __builtin_bswap16(v);
}

[[nodiscard]] inline std::uint32_t load_u32(const std::uint8_t* at) {
    std::uint32_t v = 0;
    std::memcpy(&v, at, sizeof v);
    return __builtin_bswap32(v);
}

[[nodiscard]] inline std::uint64_t load_u64(const std::uint8_t* at) {
    std::uint64_t v = 0;
    std::memcpy(&v, at, sizeof v);
    return __builtin_bswap64(v);
}

inline void store_u16(std::uint8_t* at, std::uint16_t v) {
    v = __builtin_bswap16(v);
    std::memcpy(at, &v, sizeof v);
}

inline void store_u32(std::uint8_t* at, std::uint32_t v) {
    v = __builtin_bswap32(v);
    std::memcpy(at, &v, sizeof v);
}

inline void store_u64(std::uint8_t* at, std::uint64_t v) {
    v = __builtin_bswap64(v);
    std::memcpy(at, &v, sizeof v);
}

class Reader {
  public:
    Reader() = default;

    explicit Reader(Bytes input) : at_(input.data()), end_(input.data() + input.size()) {}

    /// True while no read went past the end.
    [[nodiscard]] bool ok() const { return !failed_; }

    [[nodiscard]] bool at_end() const { return at_ == end_; }

    /// Everything was read and nothing more was asked for.
    [[nodiscard]] bool complete() const { return ok() && at_end(); }

    [[nodiscard]] std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }

    [[nodiscard]] Bytes rest() const { return {at_, remaining()}; }

    std::uint8_t u8() { return need(1) ? *at_++ : std::uint8_t{0}; }

    std::uint16_t u16() {
        if (!need(2)) return 0;
        at_ += 2;
        return load_u16(at_ - 2);
    }

    std::uint32_t u24() {
        if (!need(3)) return 0;
        at_ += 3;
        return std::uint32_t{at_[-3]} << 16 | std::uint32_t{at_[-2]} << 8 | std::uint32_t{at_[-1]};
    }

    std::uint32_t u32() {
        if (!need(4)) return 0;
        at_ += 4;
        return load_u32(at_ - 4);
    }

    std::uint64_t u64() {
        if (!need(8)) return 0;
        at_ += 8;
        return load_u64(at_ - 8);
    }

    /// View of the next `count` bytes; empty and failed when there are fewer.
    Bytes take(std::size_t count) {
        if (!need(count)) return {};
        at_ += count;
        return {at_ - count, count};
    }

    void skip(std::size_t count) {
        if (need(count)) at_ += count;
    }

    /// Reader over the next `count` bytes; failed (and failing this one) when there are fewer.
    Reader sub(std::size_t count) {
        const Bytes part = take(count);
        Reader reader(part);
        reader.failed_ = failed_;
        return reader;
    }

    /// For a field whose value makes no sense: the rest reads as missing.
    void fail() {
        failed_ = true;
        at_ = end_;
    }

  private:
    bool need(std::size_t count) {
        if (remaining() >= count) [[likely]]
            return true;
        fail();
        return false;
    }

    const std::uint8_t* at_ = nullptr;
    const std::uint8_t* end_ = nullptr;
    bool failed_ = false;
};

class Writer {
  public:
    explicit Writer(MutableBytes output)
        : begin_(output.data()), at_(output.data()), end_(output.data() + output.size()) {}

    [[nodiscard]] bool ok() const { return !failed_; }

    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

    [[nodiscard]] std::size_t room() const { return static_cast<std::size_t>(end_ - at_); }

    [[nodiscard]] Bytes written() const { return {begin_, size()}; }

    void u8(std::uint8_t v) {
        if (need(1)) *at_++ = v;
    }

    void u16(std::uint16_t v) {
        if (!need(2)) return;
        store_u16(at_, v);
        at_ += 2;
    }

    void u24(std::uint32_t v) {
        if (!need(3)) return;
        *at_++ = static_cast<std::uint8_t>(v >> 16);
        *at_++ = static_cast<std::uint8_t>(v >> 8);
        *at_++ = static_cast<std::uint8_t>(v);
    }

    void u32(std::uint32_t v) {
        if (!need(4)) return;
        store_u32(at_, v);
        at_ += 4;
    }

    void u64(std::uint64_t v) {
        if (!need(8)) return;
        store_u64(at_, v);
        at_ += 8;
    }

    void bytes(Bytes v) {
        if (!need(v.size()) || v.empty()) return;
        std::memcpy(at_, v.data(), v.size());
        at_ += v.size();
    }

    void zeros(std::size_t count) {
        if (!need(count) || count == 0) return;
        std::memset(at_, 0, count);
        at_ += count;
    }

    /// Leaves room for a field written later by `patch_*` at the returned offset.
    std::size_t reserve(std::size_t count) {
        const std::size_t offset = size();
        zeros(count);
        return offset;
    }

    /// Does nothing after a failure, when the reserved place may not exist.
    void patch_u8(std::size_t offset, std::uint8_t v) {
        if (failed_) return;
        TERN_ASSERT(offset + 1 <= size());
        begin_[offset] = v;
    }

    void patch_u16(std::size_t offset, std::uint16_t v) {
        if (failed_) return;
        TERN_ASSERT(offset + 2 <= size());
        store_u16(begin_ + offset, v);
    }

    /// Takes back everything after `size`, and the failure that happened there.
    void rewind(std::size_t size_before) {
        TERN_ASSERT(size_before <= size());
        at_ = begin_ + size_before;
        failed_ = false;
    }

  private:
    bool need(std::size_t count) {
        if (!failed_ && room() >= count) [[likely]]
            return true;
        failed_ = true;
        return false;
    }

    std::uint8_t* begin_;
    std::uint8_t* at_;
    std::uint8_t* end_;
    bool failed_ = false;
};

}  // namespace tern
