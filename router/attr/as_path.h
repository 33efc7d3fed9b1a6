#pragma once

/// AS paths as BGP has them: segments of type, count and 4-octet AS numbers in wire order.
/// AsPathView reads such bytes; the functions below make new paths in the caller's arena. Pure, any
/// domain. A view must be well formed (the decoder sees to it; well_formed() tells): reading stops
/// at the first malformed segment. It never holds 2-octet paths.
/// Source: RFC 4271 sections 4.3 and 9.1.2.2, RFC 5065 section 5, RFC 6793.

#include "router/base/bytes.h"
#include "router/base/strong.h"

#include <cstdint>
#include <string>

namespace tern::alloc {
class Arena;
}

namespace tern::attr {

enum class SegmentType : std::uint8_t {
    set = 1,
    sequence = 2,
    confed_sequence = 3,
    confed_set = 4
};

[[nodiscard]] constexpr bool is_set(SegmentType type) {
    return type == SegmentType::set || type == SegmentType::confed_set;
}

[[nodiscard]] constexpr bool is_confed(SegmentType type) {
    return type == SegmentType::confed_sequence || type == SegmentType::confed_set;
}

struct AsSegment {
    SegmentType type;
    unsigned count;
    const std::uint8_t* numbers;

    [[nodiscard]] AsNumber at(unsigned index) const {
        return AsNumber(load_u32(numbers + std::size_t{index} * 4));
    }
};

class AsPathView {
  public:
    AsPathView() = default;

    explicit AsPathView(Bytes wire) : wire_(wire) {}

    class Iterator {
      public:
        explicit Iterator(Bytes rest) : rest_(rest) { check(); }

        AsSegment operator*() const {
            return {static_cast<SegmentType>(rest_[0]), rest_[1], rest_.data() + 2};
        }

        Iterator& operator++() {
            rest_ = rest_.subspan(2 + std::size_t{rest_[1]} * 4);
            check();
            return *this;
        }

        bool operator!=(const Iterator& end) const { return rest_.size() != end.rest_.size(); }

      private:
        void check() {
            if (rest_.size() < 2 || rest_.size() < 2 + std::size_t{rest_[1]} * 4) rest_ = {};
        }

        Bytes rest_;
    };

    /// Segments from the nearest AS on.
    [[nodiscard]] Iterator begin() const { return Iterator(wire_); }

    [[nodiscard]] Iterator end() const { return Iterator({}); }

    [[nodiscard]] Bytes bytes() const { return wire_; }

    [[nodiscard]] bool empty() const { return wire_.empty(); }

    /// Known types, no empty segment, nothing left over.
    [[nodiscard]] bool well_formed() const;

    /// Length for route selection: a set counts 1, confederation segments 0 (RFC 5065 5.3).
    [[nodiscard]] unsigned length() const;

    /// Length with confederation segments counted, for filters' `.len`.
    [[nodiscard]] unsigned length_with_confederation() const;

    /// Nearest AS; 0 unless the path starts with a plain sequence.
    [[nodiscard]] AsNumber first() const;
    /// Nearest AS after leading confederation segments; 0 if that is a set or nothing.
    [[nodiscard]] AsNumber first_outside_confederation() const;
    /// Originating AS; 0 if the path is empty or ends with a set.
    [[nodiscard]] AsNumber last() const;
    /// Last AS before the first set; 0 if none.
    [[nodiscard]] AsNumber last_nonaggregated() const;

    [[nodiscard]] bool contains(AsNumber as) const { return count(as) != 0; }

    /// How often the AS occurs, for loop checks.
    [[nodiscard]] unsigned count(AsNumber as) const;
    [[nodiscard]] bool has_confederation() const;
    /// AS_SET or AS_CONFED_SET (RFC 9774).
    [[nodiscard]] bool has_set() const;

    /// Whether any member fulfils `predicate(AsNumber)`.
    template <class Predicate>
    [[nodiscard]] bool any(Predicate&& predicate) const {
        for (const AsSegment segment : *this) {
            for (unsigned i = 0; i < segment.count; ++i) {
                if (predicate(segment.at(i))) return true;
            }
        }
        return false;
    }

  private:
    Bytes wire_;
};

/// As `show route all` prints it: `1 2 {3 4} (5) ({6})`.
void append_path_text(std::string& out, AsPathView path);

/// -1, 0, 1; by bytes, shorter first.
[[nodiscard]] int compare_paths(AsPathView a, AsPathView b);

/// Puts `as` in front `times` times, in a segment of `type` (sequence or confed_sequence), opening
/// a new segment where the first one is of another type or full.
[[nodiscard]] Bytes prepend(
    alloc::Arena& arena, AsPathView path, AsNumber as, unsigned times, SegmentType type);

[[nodiscard]] Bytes strip_confederation(alloc::Arena& arena, AsPathView path);

/// Room that filter_path() may need for a path.
[[nodiscard]] std::uint8_t* path_room(alloc::Arena& arena, std::size_t bytes);

/// Keeps the members for which `keep(AsNumber)` holds; segments left empty vanish.
template <class Predicate>
[[nodiscard]] Bytes filter_path(alloc::Arena& arena, AsPathView path, Predicate&& keep) {
    std::uint8_t* const out = path_room(arena, path.bytes().size());
    std::size_t size = 0;
    for (const AsSegment segment : path) {
        std::uint8_t* const head = out + size;
        std::uint8_t kept = 0;
        for (unsigned i = 0; i < segment.count; ++i) {
            if (!keep(segment.at(i))) continue;
            std::memcpy(head + 2 + std::size_t{kept} * 4, segment.numbers + std::size_t{i} * 4, 4);
            ++kept;
        }
        if (kept == 0) continue;
        head[0] = static_cast<std::uint8_t>(segment.type);
        head[1] = kept;
        size += 2 + std::size_t{kept} * 4;
    }
    return {out, size};
}

/// Merges AS_PATH of a 2-octet speaker (already widened) with its AS4_PATH (RFC 6793 4.2.3).
[[nodiscard]] Bytes merge_as4(alloc::Arena& arena, AsPathView path, AsPathView as4);

}  // namespace tern::attr
