// How a worker shares its load: giving loops away while busy, taking them while idle, and the slow
// correction by measured load.
#include "loops/group_state.h"
#include "loops/worker.h"

#include <algorithm>

namespace tern::loops {

namespace {

constexpr Duration tick = Duration::from_milliseconds(100);
// An injected loop that nobody idle took for that long is taken by whoever comes first.
constexpr Duration injected_patience = Duration::from_milliseconds(10);
// A loop with that much run time per window is worth calling for help before it runs.
constexpr std::uint32_t heavy_load_ns = 5'000'000;
// One run counts for that much at most, so that sums do not overflow.
constexpr std::uint64_t load_ns_max = 1'000'000'000;
constexpr std::uint64_t tick_ns = 100'000'000;

bool moved_lately(const LoopCell& cell, Instant now, Duration cool_down) {
    const std::uint32_t moved = cell.moved_ms.load(std::memory_order_relaxed);
    // The difference is right although both wrap round every 49 days.
    return moved != 0 && Duration::from_milliseconds(Worker::stamp_ms(now) - moved) < cool_down;
}

/// Halved once per window gone by.
std::uint32_t decayed(std::uint32_t load_ns, std::uint16_t windows) {
    return windows >= 32 ? 0 : load_ns >> windows;
}

/// The number of the present window; it wraps round in under two hours.
std::uint16_t window_of(Instant now) {
    return static_cast<std::uint16_t>(now.microseconds() / tick.microseconds());
}

std::uint16_t windows_since(const LoopCell& cell, std::uint16_t window) {
    return static_cast<std::uint16_t>(window - cell.load_window.load(std::memory_order_relaxed));
}

}  // namespace

void Worker::count_load(LoopCell& cell, std::uint64_t took_ns, Instant now) {
    const std::uint16_t window = window_of(now);
    const std::uint32_t old =
        decayed(cell.load_ns.load(std::memory_order_relaxed), windows_since(cell, window));
    const auto added = static_cast<std::uint32_t>(std::min(took_ns, load_ns_max));
    cell.load_ns.store(old + added, std::memory_order_relaxed);
    cell.load_window.store(window, std::memory_order_relaxed);
}

Load Worker::load(Instant now) const noexcept {
    const auto at = Instant::from_microseconds(load_at_us_.load(std::memory_order_relaxed));
    // No tick lately: asleep, or stuck in one long run.
    if (now - at > tick * 3) return stuck(now) ? 1000 : 0;
    return load_.load(std::memory_order_relaxed);
}

bool Worker::may_take(Instant now) const {
    return !meter_.busy() || backlog() == 0 ||
           group_.busy.load(std::memory_order_relaxed) >= group_.threads() ||
           now - group_.injected_since() > injected_patience;
}

void Worker::take_injected(Instant now) {
    if (!may_take(now)) return;
    std::uint32_t share = group_.injected() / std::max(group_.threads(), 1U) + 1;
    while (share-- > 0) {
        LoopCell* const cell = group_.pick();
        if (cell == nullptr) return;
        waiting_.add(*cell);
    }
    if (group_.injected() != 0) group_.rouse_one();
}

/// Gives half of what it has more than the member with the least.
void Worker::drop_loops(Instant now) {
    if (group_.busy.load(std::memory_order_relaxed) >= group_.threads()) return;
    if (loops() < 2 || backlog() < 2) return;
    std::uint32_t least = backlog();
    group_.for_members([&](Worker& other) { least = std::min(least, other.backlog()); });
    std::size_t drops = plan_drop(backlog(), least, group_.injected());
    for (std::uint32_t looks = backlog(); drops > 0 && looks > 0; --looks) {
        LoopCell* const cell = give();
        if (cell == nullptr) return;
        if (moved_lately(*cell, now, group_.options().cool_down) ||
            cell->read().has(LoopWord::stopping)) {
            waiting_.add(*cell);
            continue;
        }
        if (cell->home != nullptr) cell->home->disown(*cell);
        group_.inject(*cell);
        --drops;
    }
}

void Worker::offer_help(const LoopCell& cell, Instant now) {
    if (!group_.balanced() || backlog() == 0) return;
    if (group_.sleepers.load(std::memory_order_relaxed) == 0) return;
    if (busy() || now - turn_begin_ > help_delay || last_took_ > help_delay ||
        cell.load_ns.load(std::memory_order_relaxed) > heavy_load_ns) {
        group_.rouse_one();
    }
}

void Worker::call_for_help(Instant now) noexcept {
    if (called_for_help_ || !group_.balanced() || backlog() == 0 || !stuck(now)) return;
    if (group_.sleepers.load(std::memory_order_relaxed) == 0) return;
    called_for_help_ = group_.rouse_one();
}

/// Before waiting: is somebody else drowning? Returns how long to wait.
Duration Worker::look_for_work(Duration wait, Instant now) {
    if (!group_.options().steal) return wait;
    Worker* victim = nullptr;
    bool backlog = false;
    group_.for_members([&](Worker& other) {
        const std::uint32_t waiting = other.backlog();
        // One that is between two runs takes the first of them itself.
        const std::uint32_t next = other.running_for(now) == Duration() ? 1 : 0;
        if (&other == this || waiting <= next || other.asleep()) return;
        backlog = true;
        if (!other.busy() && !other.stuck(now)) return;
        if (victim == nullptr || waiting > victim->backlog()) victim = &other;
    });
    if (victim != nullptr && steal_from(*victim, now)) return Duration();
    // Its run may turn out to be long; look again instead of waiting for a wake-up.
    return backlog ? std::min(wait, help_delay) : wait;
}

/// Takes as many as make both have the same, the one that the victim runs included.
bool Worker::steal_from(Worker& victim, Instant now) {
    bool stolen = false;
    for (std::uint32_t share = (victim.backlog() + 1) / 2; share > 0; --share) {
        LoopCell* const cell = victim.give();
        if (cell == nullptr) break;
        const bool stays = moved_lately(*cell, now, group_.options().cool_down);
        if ((stays && !victim.stuck(now)) || cell->read().has(LoopWord::stopping)) {
            // It may be on its way out meanwhile, and without what it had not run yet.
            if (group_.hand(*cell, victim.index())) break;
            waiting_.add(*cell);
            return true;
        }
        waiting_.add(*cell);
        stolen = true;
    }
    return stolen;
}

std::vector<Load> Worker::home_loads(Instant now, std::vector<LoopCell*>& cells) const {
    const std::uint16_t window = window_of(now);
    std::vector<Load> loads;
    const std::lock_guard lock(books_);
    for (LoopCell* cell = home_; cell != nullptr; cell = cell->home_next) {
        if (moved_lately(*cell, now, group_.options().cool_down)) continue;
        const std::uint64_t load_ns =
            decayed(cell->load_ns.load(std::memory_order_relaxed), windows_since(*cell, window));
        // A steady load of x per window sums up to 2x.
        const std::uint64_t permille = load_ns * 500 / tick_ns;
        if (permille == 0) continue;
        loads.push_back(static_cast<Load>(permille));
        cells.push_back(cell);
    }
    return loads;
}

void Worker::balance(Instant now) {
    const Duration gone = now - last_tick_;
    if (gone < tick) return;
    const std::uint64_t gone_us = static_cast<std::uint64_t>(gone.microseconds());
    const auto permille = static_cast<Load>(std::min<std::uint64_t>(tick_work_ns_ / gone_us, 1000));
    load_.store((load_.load(std::memory_order_relaxed) + permille) / 2, std::memory_order_relaxed);
    load_at_us_.store(now.microseconds(), std::memory_order_relaxed);
    last_tick_ = now;
    tick_work_ns_ = 0;
    if (!group_.options().balance || loops() < 2 || group_.threads() < 2) return;
    even_out();
    move_load(now);
}

/// When all threads are busy, load says nothing; the number of loops that want to run does. Loops
/// that moved lately may move once more: the difference has lasted, and is too big for one run.
void Worker::even_out() {
    Worker* least = nullptr;
    group_.for_members([&](Worker& other) {
        if (&other == this || other.asleep()) return;
        if (least == nullptr || other.backlog() < least->backlog()) least = &other;
    });
    std::size_t give_away = 0;
    if (least != nullptr && busy()) give_away = plan_even(backlog(), least->backlog());
    crowding_ = give_away > 0 ? crowding_ + 1 : 0;
    if (crowding_ < imbalance_ticks) return;
    crowding_ = 0;
    for (std::uint32_t looks = backlog(); give_away > 0 && looks > 0; --looks) {
        LoopCell* const cell = give();
        if (cell == nullptr) return;
        if (cell->read().has(LoopWord::stopping) || !group_.hand(*cell, least->index())) {
            waiting_.add(*cell);
            continue;
        }
        --give_away;
    }
}

void Worker::move_load(Instant now) {
    std::vector<Load> loads;
    std::vector<Worker*> members;
    std::size_t self = 0;
    group_.for_members([&](Worker& worker) {
        if (&worker == this) self = members.size();
        members.push_back(&worker);
        loads.push_back(worker.load(now));
    });
    if (members.empty() || members[self] != this) return;  // on our way out
    const std::optional<MovePlan> plan = plan_move(loads, self);
    imbalance_ = plan ? imbalance_ + 1 : 0;
    if (imbalance_ < imbalance_ticks) return;
    imbalance_ = 0;
    std::vector<LoopCell*> cells;
    const std::vector<Load> candidates = home_loads(now, cells);
    const std::optional<std::size_t> choice = choose_loop(candidates, plan->difference);
    if (!choice) return;
    // Handed over at its next pick-up. It may have gone or moved meanwhile; then the wish is void.
    LoopCell& cell = *cells[*choice];
    cell.hand_to.store(members[plan->to]->index(), std::memory_order_relaxed);
    wake(cell);
}

}  // namespace tern::loops
