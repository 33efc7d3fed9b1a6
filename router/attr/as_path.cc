#include "router/attr/as_path.h"

#include "alloc/arena.h"
#include "router/base/limits.h"

#include <algorithm>

#include <fmt/format.h>

namespace tern::attr {

namespace {

constexpr std::size_t header = 2;

/// Appends one segment's header and numbers; returns the bytes written.
std::size_t put_segment(std::uint8_t* at, const AsSegment& segment, unsigned count) {
    at[0] = static_cast<std::uint8_t>(segment.type);
    at[1] = static_cast<std::uint8_t>(count);
    std::memcpy(at + header, segment.numbers, std::size_t{count} * 4);
    return header + std::size_t{count} * 4;
}

}  // namespace

bool AsPathView::well_formed() const {
    std::size_t seen = 0;
    for (const AsSegment segment : *this) {
        const auto type = static_cast<unsigned>(segment.type);
        if (type < 1 || type > 4 || segment.count == 0) return false;
        seen += header + std::size_t{segment.count} * 4;
    }
    return seen == wire_.size();
}

unsigned AsPathView::length() const {
    unsigned length = 0;
    for (const AsSegment segment : *this) {
        if (segment.type == SegmentType::sequence) length += segment.count;
        if (segment.type == SegmentType::set) ++length;
    }
    return length;
}

unsigned AsPathView::length_with_confederation() const {
    unsigned length = 0;
    for (const AsSegment segment : *this)
        length += is_set(segment.type) ? 1 : segment.count;
    return length;
}

AsNumber AsPathView::first() const {
    for (const AsSegment segment : *this) {
        const bool usable = segment.type == SegmentType::sequence && segment.count != 0;
        return usable ? segment.at(0) : AsNumber();
    }
    return {};
}

AsNumber AsPathView::first_outside_confederation() const {
    for (const AsSegment segment : *this) {
        if (is_confed(segment.type)) continue;
        const bool usable = segment.type == SegmentType::sequence && segment.count != 0;
        return usable ? segment.at(0) : AsNumber();
    }
    return {};
}

AsNumber AsPathView::last() const {
    AsNumber last;
    for (const AsSegment segment : *this) {
        if (segment.count == 0) continue;
        last = is_set(segment.type) ? AsNumber() : segment.at(segment.count - 1);
    }
    return last;
}

AsNumber AsPathView::last_nonaggregated() const {
    AsNumber last;
    for (const AsSegment segment : *this) {
        if (is_set(segment.type)) return last;
        if (segment.count != 0) last = segment.at(segment.count - 1);
    }
    return last;
}

unsigned AsPathView::count(AsNumber as) const {
    unsigned found = 0;
    for (const AsSegment segment : *this) {
        for (unsigned i = 0; i < segment.count; ++i)
            found += segment.at(i) == as ? 1U : 0U;
    }
    return found;
}

bool AsPathView::has_confederation() const {
    for (const AsSegment segment : *this) {
        if (is_confed(segment.type)) return true;
    }
    return false;
}

bool AsPathView::has_set() const {
    for (const AsSegment segment : *this) {
        if (is_set(segment.type)) return true;
    }
    return false;
}

void append_path_text(std::string& out, AsPathView path) {
    const std::size_t start = out.size();
    for (const AsSegment segment : path) {
        if (out.size() != start) out += ' ';
        if (is_confed(segment.type)) out += '(';
        if (is_set(segment.type)) out += '{';
        for (unsigned i = 0; i < segment.count; ++i) {
            if (i != 0) out += ' ';
            fmt::format_to(std::back_inserter(out), "{}", segment.at(i).value());
        }
        if (is_set(segment.type)) out += '}';
        if (is_confed(segment.type)) out += ')';
    }
}

int compare_paths(AsPathView a, AsPathView b) {
    const std::size_t common = std::min(a.bytes().size(), b.bytes().size());
    const int order = common == 0 ? 0 : std::memcmp(a.bytes().data(), b.bytes().data(), common);
    if (order != 0) return order < 0 ? -1 : 1;
    if (a.bytes().size() == b.bytes().size()) return 0;
    return a.bytes().size() < b.bytes().size() ? -1 : 1;
}

std::uint8_t* path_room(alloc::Arena& arena, std::size_t bytes) {
    return static_cast<std::uint8_t*>(arena.allocate(bytes + 1, 1));
}

Bytes prepend(alloc::Arena& arena, AsPathView path, AsNumber as, unsigned times, SegmentType type) {
    if (times == 0) return path.bytes();
    Bytes rest = path.bytes();
    unsigned present = 0;  // members of the first segment, if it is of the wanted type
    if (rest.size() >= header && rest[0] == static_cast<std::uint8_t>(type)) present = rest[1];
    const std::size_t segments = (times + present) / limits::as_path_segment + 2;
    std::uint8_t* const out =
        path_room(arena, rest.size() + std::size_t{times} * 4 + segments * header);
    std::size_t size = 0;
    const unsigned joining = present == 0 ? 0 : std::min(times, limits::as_path_segment - present);
    for (unsigned left = times - joining; left > 0;) {
        // The segment that is not full stands in front, so that the next prepend can join it.
        const unsigned part = left % limits::as_path_segment != 0 ? left % limits::as_path_segment
                                                                  : limits::as_path_segment;
        out[size] = static_cast<std::uint8_t>(type);
        out[size + 1] = static_cast<std::uint8_t>(part);
        size += header;
        for (unsigned i = 0; i < part; ++i, size += 4)
            store_u32(out + size, as.value());
        left -= part;
    }
    if (joining != 0) {
        out[size] = static_cast<std::uint8_t>(type);
        out[size + 1] = static_cast<std::uint8_t>(present + joining);
        size += header;
        for (unsigned i = 0; i < joining; ++i, size += 4)
            store_u32(out + size, as.value());
        rest = rest.subspan(header);
    }
    if (!rest.empty()) std::memcpy(out + size, rest.data(), rest.size());
    return {out, size + rest.size()};
}

Bytes strip_confederation(alloc::Arena& arena, AsPathView path) {
    if (!path.has_confederation()) return path.bytes();
    std::uint8_t* const out = path_room(arena, path.bytes().size());
    std::size_t size = 0;
    for (const AsSegment segment : path) {
        if (!is_confed(segment.type)) size += put_segment(out + size, segment, segment.count);
    }
    return {out, size};
}

Bytes merge_as4(alloc::Arena& arena, AsPathView path, AsPathView as4) {
    const unsigned total = path.length();
    const unsigned tail = as4.length();
    // RFC 6793 section 4.2.3: a longer AS4_PATH is ignored; otherwise the leading part of AS_PATH
    // that AS4_PATH lacks is put before it. Confederation segments belong to the leading part.
    if (tail > total || as4.empty()) return path.bytes();
    unsigned wanted = total - tail;
    std::uint8_t* const out = path_room(arena, path.bytes().size() + as4.bytes().size() + header);
    std::size_t size = 0;
    for (const AsSegment segment : path) {
        if (is_confed(segment.type)) {
            size += put_segment(out + size, segment, segment.count);
            continue;
        }
        if (wanted == 0) break;
        if (segment.type == SegmentType::set) {
            size += put_segment(out + size, segment, segment.count);
            --wanted;
            continue;
        }
        const unsigned part = std::min(wanted, segment.count);
        size += put_segment(out + size, segment, part);
        wanted -= part;
    }
    const Bytes rest = strip_confederation(arena, as4);
    std::memcpy(out + size, rest.data(), rest.size());
    return {out, size + rest.size()};
}

}  // namespace tern::attr
