#include "router/proto/bgp/wire/attr_as_path.h"

#include "router/proto/bgp/wire/open.h"

#include <algorithm>

namespace tern::bgp::wire {

namespace {

constexpr std::size_t segment_max = 255;  // its count is one octet

bool is_confed(SegmentType type) {
    return type == SegmentType::confed_sequence || type == SegmentType::confed_set;
}

bool is_set(SegmentType type) {
    return type == SegmentType::set || type == SegmentType::confed_set;
}

void append(std::vector<std::uint8_t>& out, Bytes bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_u32(std::vector<std::uint8_t>& out, std::uint32_t v) {
    const std::size_t at = out.size();
    out.resize(at + 4);
    store_u32(out.data() + at, v);
}

void append_segment(std::vector<std::uint8_t>& out, SegmentType type, Bytes numbers) {
    out.push_back(static_cast<std::uint8_t>(type));
    out.push_back(static_cast<std::uint8_t>(numbers.size() / 4));
    append(out, numbers);
}

PathFault check_segment(std::uint8_t type, const PathRules& rules) {
    if (type < 1 || type > 4) return PathFault::unknown_segment;
    const SegmentType segment = static_cast<SegmentType>(type);
    if (is_confed(segment) && !rules.confed_segments) return PathFault::confed_segment;
    if (is_set(segment) && !rules.as_sets) return PathFault::as_set;
    return PathFault::none;
}

bool has_zero(Bytes numbers, AsWidth width) {
    if (width == AsWidth::four) {
        for (std::size_t i = 0; i < numbers.size(); i += 4) {
            if (load_u32(numbers.data() + i) == 0) return true;
        }
    } else {
        for (std::size_t i = 0; i < numbers.size(); i += 2) {
            if (load_u16(numbers.data() + i) == 0) return true;
        }
    }
    return false;
}

}  // namespace

PathFault check_as_path(Bytes path, const PathRules& rules) {
    const std::size_t width = static_cast<std::size_t>(rules.width);
    while (!path.empty()) {
        if (path.size() < 2) return PathFault::truncated;
        const std::size_t octets = std::size_t{path[1]} * width;
        if (const PathFault fault = check_segment(path[0], rules); fault != PathFault::none) {
            return fault;
        }
        if (octets == 0) return PathFault::empty_segment;
        if (path.size() < 2 + octets) return PathFault::truncated;
        if (has_zero(path.subspan(2, octets), rules.width)) return PathFault::zero_as;
        path = path.subspan(2 + octets);
    }
    return PathFault::none;
}

unsigned count_as_path(Bytes path) {
    unsigned count = 0;
    each_segment(path, [&](SegmentType type, Bytes numbers) {
        if (type == SegmentType::sequence) count += static_cast<unsigned>(numbers.size() / 4);
        if (type == SegmentType::set) ++count;
        return true;
    });
    return count;
}

void widen_as_path(Bytes path, std::vector<std::uint8_t>& out) {
    while (path.size() >= 2) {
        const std::size_t count = path[1];
        append(out, path.first(2));
        for (std::size_t i = 0; i < count; ++i)
            append_u32(out, load_u16(&path[2 + i * 2]));
        path = path.subspan(2 + count * 2);
    }
}

bool narrow_as_path(Bytes path, std::vector<std::uint8_t>& out) {
    bool large = false;
    each_segment(path, [&](SegmentType type, Bytes numbers) {
        out.push_back(static_cast<std::uint8_t>(type));
        out.push_back(static_cast<std::uint8_t>(numbers.size() / 4));
        for (std::size_t i = 0; i < numbers.size(); i += 4) {
            std::uint32_t as = load_u32(numbers.data() + i);
            if (as > 0xffff) {
                large = true;
                as = as_trans;
            }
            out.push_back(static_cast<std::uint8_t>(as >> 8));
            out.push_back(static_cast<std::uint8_t>(as));
        }
        return true;
    });
    return large;
}

void strip_confed_segments(Bytes path, std::vector<std::uint8_t>& out) {
    each_segment(path, [&](SegmentType type, Bytes numbers) {
        if (!is_confed(type)) append_segment(out, type, numbers);
        return true;
    });
}

void merge_as4_path(Bytes path, Bytes as4_path, std::vector<std::uint8_t>& out) {
    const unsigned have = count_as_path(path);
    const unsigned have4 = count_as_path(as4_path);
    if (have4 > have) {
        append(out, path);
        return;
    }
    unsigned lead = have - have4;
    each_segment(path, [&](SegmentType type, Bytes numbers) {
        // Confederation segments in front belong to the leading part even when it is empty of
        // counted numbers (RFC 6793 section 4.2.3 keeps "the leading AS numbers and segments").
        if (is_confed(type)) {
            append_segment(out, type, numbers);
            return true;
        }
        if (lead == 0) return false;
        if (type == SegmentType::set) {
            append_segment(out, type, numbers);
            --lead;
            return true;
        }
        const std::size_t take = std::min<std::size_t>(lead, numbers.size() / 4);
        append_segment(out, type, numbers.first(take * 4));
        lead -= static_cast<unsigned>(take);
        return true;
    });
    append(out, as4_path);
}

void prepend_as(Bytes path, Prepend prepend, std::vector<std::uint8_t>& out) {
    const bool join = path.size() >= 2 && path[0] == static_cast<std::uint8_t>(prepend.type) &&
                      path[1] < segment_max;
    out.push_back(static_cast<std::uint8_t>(prepend.type));
    out.push_back(join ? static_cast<std::uint8_t>(path[1] + 1) : std::uint8_t{1});
    append_u32(out, prepend.as);
    append(out, join ? path.subspan(2) : path);
}

}  // namespace tern::bgp::wire
