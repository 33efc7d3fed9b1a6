#include "router/filter/sets.h"

#include <algorithm>

namespace tern::filter {

IntervalSet::IntervalSet(std::vector<SetInterval> intervals) {
    std::sort(intervals.begin(), intervals.end(), [](const SetInterval& a, const SetInterval& b) {
        return a.low < b.low || (a.low == b.low && a.high < b.high);
    });
    for (const SetInterval& interval : intervals) {
        if (!wide_.empty() && interval.low <= wide_.back().high) {
            wide_.back().high = std::max(wide_.back().high, interval.high);
        } else {
            wide_.push_back(interval);
        }
    }
    for (const SetInterval& interval : wide_) {
        all_narrow_ = all_narrow_ && interval.high.high == 0 && interval.high.low <= UINT32_MAX;
    }
    if (!all_narrow_) return;
    narrow_.reserve(wide_.size());
    for (const SetInterval& interval : wide_) {
        narrow_.push_back({static_cast<std::uint32_t>(interval.low.low),
                           static_cast<std::uint32_t>(interval.high.low)});
    }
}

bool IntervalSet::contains(SetKey key) const {
    if (all_narrow_) {
        return key.high == 0 && key.low <= UINT32_MAX &&
               contains32(static_cast<std::uint32_t>(key.low));
    }
    const auto after = std::upper_bound(wide_.begin(), wide_.end(), key,
                                        [](SetKey k, const SetInterval& i) { return k < i.low; });
    return after != wide_.begin() && key <= std::prev(after)->high;
}

bool IntervalSet::contains32(std::uint32_t key) const {
    if (!all_narrow_) return contains({0, key});
    const auto after =
        std::upper_bound(narrow_.begin(), narrow_.end(), key,
                         [](std::uint32_t k, const Interval32& i) { return k < i.low; });
    return after != narrow_.begin() && key <= std::prev(after)->high;
}

}  // namespace tern::filter
