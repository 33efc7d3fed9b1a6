#include "loops/placement.h"

#include <algorithm>

namespace tern::loops {

bool BusyMeter::feed(Duration wait) {
    if (wait > force_idle_) {
        busy_ = false;
        count_ = 0;
        return busy_;
    }
    const bool against = wait.is_zero() != busy_;
    if (against) {
        ++count_;
    } else if (count_ > 0) {
        --count_;
    }
    if (count_ >= (busy_ ? leave_ : enter_)) {
        busy_ = !busy_;
        count_ = 0;
    }
    return busy_;
}

Duration time_slice(const SliceLimits& limits, Duration elapsed, std::size_t loops) {
    Duration share = std::max(limits.max_latency / 2 - elapsed, Duration());
    // Most often there is one, and a division costs as much as all the rest of this.
    if (loops > 1) share = share / static_cast<std::int64_t>(loops);
    return std::clamp(share, limits.min_slice, limits.max_slice);
}

std::optional<MovePlan> plan_move(std::span<const Load> threads, std::size_t from) {
    const auto least = std::min_element(threads.begin(), threads.end());
    const Load most = *std::max_element(threads.begin(), threads.end());
    if (threads[from] != most || most - *least <= imbalance_max) return std::nullopt;
    return MovePlan{static_cast<std::size_t>(least - threads.begin()), most - *least};
}

std::optional<std::size_t> choose_loop(std::span<const Load> loops, Load difference) {
    std::optional<std::size_t> best;
    Load best_rest = difference;
    for (std::size_t i = 0; i < loops.size(); ++i) {
        const Load moved = 2 * loops[i];
        const Load rest = moved > difference ? moved - difference : difference - moved;
        if (loops[i] == 0 || rest >= best_rest) continue;
        best = i;
        best_rest = rest;
    }
    return best;
}

std::size_t plan_even(std::size_t mine, std::size_t other) {
    return mine >= other + 3 ? (mine - other) / 2 : 0;
}

std::size_t plan_drop(std::size_t mine, std::size_t least, std::size_t injected) {
    const std::size_t theirs = least + injected;
    return mine > theirs ? (mine - theirs) / 2 : 0;
}

std::size_t choose_thread(std::span<const ThreadLoad> threads) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < threads.size(); ++i) {
        const ThreadLoad& a = threads[i];
        const ThreadLoad& b = threads[best];
        if (a.loops < b.loops || (a.loops == b.loops && a.load < b.load)) best = i;
    }
    return best;
}

}  // namespace tern::loops
