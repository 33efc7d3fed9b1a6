#include "router/attr/as_path_mask.h"

#include "locking/check.h"

#include <algorithm>

#include <fmt/format.h>

namespace tern::attr {

namespace {

using Kind = MaskItem::Kind;

void merge(std::vector<AsRange>& ranges) {
    std::sort(ranges.begin(), ranges.end(), [](const AsRange& a, const AsRange& b) {
        return a.low != b.low ? a.low < b.low : a.high < b.high;
    });
    std::vector<AsRange> merged;
    for (const AsRange& range : ranges) {
        const bool joins = !merged.empty() && range.low <= merged.back().high;
        if (joins) {
            merged.back().high = std::max(merged.back().high, range.high);
        } else {
            merged.push_back(range);
        }
    }
    ranges = std::move(merged);
}

std::string item_text(const MaskItem& item) {
    const auto range_text = [](const AsRange& range) {
        if (range.low == range.high) return fmt::format("{}", range.low);
        return fmt::format("{}..{}", range.low, range.high);
    };
    switch (item.kind) {
        case Kind::number:
            return fmt::format("{}", item.ranges[0].low);
        case Kind::range:
            return fmt::format("{}..{}", item.ranges[0].low, item.ranges[0].high);
        case Kind::asterisk:
            return "*";
        case Kind::question:
            return "?";
        case Kind::set: {
            std::string out = "[";
            for (const AsRange& range : item.ranges) {
                if (out.size() > 1) out += ", ";
                out += range_text(range);
            }
            return out + "]";
        }
    }
    return {};
}

}  // namespace

AsPathMask::AsPathMask(std::vector<MaskItem> items) : items_(std::move(items)) {
    TERN_ASSERT(items_.size() <= items_max, "path mask is too long");
    for (MaskItem& item : items_) {
        if (item.kind == Kind::set) merge(item.ranges);
    }
}

bool AsPathMask::item_accepts(const MaskItem& item, std::uint32_t as) const {
    if (item.kind == Kind::asterisk || item.kind == Kind::question) return true;
    const auto at = std::upper_bound(
        item.ranges.begin(), item.ranges.end(), as,
        [](std::uint32_t value, const AsRange& range) { return value < range.low; });
    return at != item.ranges.begin() && as <= std::prev(at)->high;
}

bool AsPathMask::item_accepts(const MaskItem& item, const AsSegment& segment) const {
    for (unsigned i = 0; i < segment.count; ++i) {
        if (item_accepts(item, segment.at(i).value())) return true;
    }
    return false;
}

/// An asterisk may match nothing: whoever stands before it stands behind it as well.
void AsPathMask::skip_asterisks(States& states) const {
    for (std::size_t i = 0; i < items_.size(); ++i) {
        if (items_[i].kind != Kind::asterisk) continue;
        if ((states[i / 64] >> (i % 64) & 1) == 0) continue;
        states[(i + 1) / 64] |= std::uint64_t{1} << ((i + 1) % 64);
    }
}

template <class Accepts>
AsPathMask::States AsPathMask::step(const States& states, Accepts&& accepts) const {
    States next = {};
    for (std::size_t i = 0; i < items_.size(); ++i) {
        if ((states[i / 64] >> (i % 64) & 1) == 0 || !accepts(items_[i])) continue;
        const bool stays = items_[i].repeated || items_[i].kind == Kind::asterisk;
        if (stays) next[i / 64] |= std::uint64_t{1} << (i % 64);
        next[(i + 1) / 64] |= std::uint64_t{1} << ((i + 1) % 64);
    }
    skip_asterisks(next);
    return next;
}

bool AsPathMask::matches(AsPathView path) const {
    States states = {};
    states[0] = 1;
    skip_asterisks(states);
    for (const AsSegment segment : path) {
        if (is_set(segment.type)) {
            states =
                step(states, [&](const MaskItem& item) { return item_accepts(item, segment); });
            continue;
        }
        for (unsigned i = 0; i < segment.count; ++i) {
            const std::uint32_t as = segment.at(i).value();
            states = step(states, [&](const MaskItem& item) { return item_accepts(item, as); });
        }
    }
    return (states[items_.size() / 64] >> (items_.size() % 64) & 1) != 0;
}

std::string AsPathMask::to_string() const {
    std::string out = "[= ";
    for (const MaskItem& item : items_) {
        out += item_text(item) + ' ';
        if (item.repeated) out += "+ ";
    }
    return out + "=]";
}

}  // namespace tern::attr
