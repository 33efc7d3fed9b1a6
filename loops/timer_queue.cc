#include "loops/timer_queue.h"

#include "loops/timer.h"

#include <algorithm>
#include <array>

namespace tern::loops {

namespace {

// Up to that many timers a heap is both the smallest and the fastest.
constexpr std::size_t heap_max = 128;
// From that many entries on, sorting by counting beats comparing.
constexpr std::size_t counting_sort_min = 128;
constexpr std::size_t prefetch_ahead = 8;

/// Latest first. All entries lie within one tick of the wheel.
void sort_slot(std::vector<TimerEntry>& entries, std::vector<TimerEntry>& scratch) {
    if (entries.size() < counting_sort_min) {
        std::sort(entries.begin(), entries.end(),
                  [](const TimerEntry& a, const TimerEntry& b) { return b.at < a.at; });
        return;
    }
    constexpr std::size_t keys = std::size_t{1} << TimerWheel::tick_bits;
    const auto key = [](const TimerEntry& entry) {
        return static_cast<std::size_t>(entry.at.microseconds()) & (keys - 1);
    };
    std::array<std::uint32_t, keys> places{};
    for (const TimerEntry& entry : entries)
        ++places[key(entry)];
    std::uint32_t before = 0;
    for (std::size_t i = keys; i-- > 0;) {
        const std::uint32_t count = places[i];
        places[i] = before;
        before += count;
    }
    scratch.resize(entries.size());
    for (const TimerEntry& entry : entries)
        scratch[places[key(entry)]++] = entry;
    entries.swap(scratch);
    scratch.clear();
}

}  // namespace

/// Binary heap, earliest first; each timer knows its place.
class TimerHeap {
  public:
    bool empty() const { return entries_.empty(); }

    std::size_t size() const { return entries_.size(); }

    const TimerEntry& first() const { return entries_.front(); }

    const std::vector<TimerEntry>& entries() const { return entries_; }

    void insert(Timer& timer, Instant at) {
        timer.slot_ = Timer::heap_slot;
        entries_.emplace_back();
        up(entries_.size() - 1, {at, &timer});
    }

    void remove(std::size_t index) {
        const TimerEntry last = entries_.back();
        entries_.pop_back();
        if (index == entries_.size()) return;
        if (index > 0 && last.at < entries_[(index - 1) / 2].at) {
            up(index, last);
        } else {
            down(index, last);
        }
    }

    void earlier(std::size_t index, Instant at) { up(index, {at, entries_[index].timer}); }

    void clear() { entries_.clear(); }

  private:
    void place(std::size_t index, TimerEntry entry) {
        entries_[index] = entry;
        entry.timer->index_ = static_cast<std::uint32_t>(index);
    }

    void up(std::size_t index, TimerEntry entry) {
        while (index > 0) {
            const std::size_t parent = (index - 1) / 2;
            if (!(entry.at < entries_[parent].at)) break;
            place(index, entries_[parent]);
            index = parent;
        }
        place(index, entry);
    }

    void down(std::size_t index, TimerEntry entry) {
        for (;;) {
            std::size_t child = index * 2 + 1;
            if (child >= entries_.size()) break;
            if (child + 1 < entries_.size() && entries_[child + 1].at < entries_[child].at) ++child;
            if (!(entries_[child].at < entry.at)) break;
            place(index, entries_[child]);
            index = child;
        }
        place(index, entry);
    }

    std::vector<TimerEntry> entries_;
};

struct TimerQueue::Parts {
    TimerHeap heap;
    std::size_t size = 0;
    std::unique_ptr<TimerWheel> wheel;
    std::vector<TimerEntry> run;  ///< taken from the back
    std::vector<TimerEntry> scratch;
};

TimerQueue::TimerQueue() = default;

TimerQueue::~TimerQueue() = default;

std::size_t TimerQueue::size() const {
    return parts_ == nullptr ? 0 : parts_->size;
}

Instant TimerQueue::nearest() const {
    const Parts& parts = *parts_;
    Instant first = Instant::never();
    if (!parts.heap.empty()) first = parts.heap.first().at;
    if (!parts.run.empty()) first = std::min(first, parts.run.back().at);
    // Whatever is in the wheel comes after both.
    if (first.is_never() && parts.wheel != nullptr) first = parts.wheel->earliest();
    return first;
}

void TimerQueue::set(Timer& timer, Instant at) {
    if (parts_ == nullptr) parts_ = std::make_unique<Parts>();
    if (timer.postpone(at)) return;
    timer.expiry_ = at;
    if (timer.slot_ == Timer::inactive_slot) {
        ++parts_->size;
        insert(timer, at);
        return;
    }
    if (timer.slot_ == Timer::heap_slot) {
        timer.filed_ = at;
        parts_->heap.earlier(timer.index_, at);
        return;
    }
    remove(timer);
    ++parts_->size;
    insert(timer, at);
}

void TimerQueue::insert(Timer& timer, Instant at) {
    Parts& parts = *parts_;
    at = std::max(at, Instant());
    timer.filed_ = at;
    if (parts.wheel == nullptr && parts.heap.size() >= heap_max) start_wheel();
    if (parts.wheel != nullptr && parts.wheel->covers(at)) {
        parts.wheel->file(timer);
    } else {
        parts.heap.insert(timer, at);
    }
}

/// From now on the heap has only what comes too late for the wheel.
void TimerQueue::start_wheel() {
    Parts& parts = *parts_;
    const std::vector<TimerEntry> entries = parts.heap.entries();
    parts.wheel = std::make_unique<TimerWheel>();
    parts.heap.clear();
    for (const TimerEntry& entry : entries)
        parts.wheel->file(*entry.timer);
}

void TimerQueue::remove(Timer& timer) {
    Parts& parts = *parts_;
    --parts.size;
    if (timer.slot_ == Timer::heap_slot) {
        parts.heap.remove(timer.index_);
    } else if (timer.slot_ == Timer::run_slot) {
        parts.run[timer.index_].timer = nullptr;
        while (!parts.run.empty() && parts.run.back().timer == nullptr)
            parts.run.pop_back();
    } else {
        parts.wheel->take_back(timer);
    }
    timer.slot_ = Timer::inactive_slot;
}

Timer* TimerQueue::take_first(Instant now) {
    Parts& parts = *parts_;
    for (;;) {
        if (parts.heap.empty() && parts.run.empty() && !refill(now)) return nullptr;
        const bool from_run = parts.heap.empty() ||
                              (!parts.run.empty() && parts.run.back().at <= parts.heap.first().at);
        const TimerEntry entry = from_run ? parts.run.back() : parts.heap.first();
        if (entry.at > now) return nullptr;
        Timer& timer = *entry.timer;
        if (from_run && parts.run.size() > prefetch_ahead) {
            Timer::prefetch(parts.run[parts.run.size() - 1 - prefetch_ahead].timer);
        }
        remove(timer);
        if (timer.expiry_ <= entry.at) return &timer;
        ++parts.size;  // it was set to a later time
        insert(timer, timer.expiry_);
    }
}

/// Brings the next slot of the wheel into the run if some of it may be due.
bool TimerQueue::refill(Instant now) {
    Parts& parts = *parts_;
    if (parts.wheel == nullptr || !parts.wheel->hand_out(now, parts.run)) return false;
    sort_slot(parts.run, parts.scratch);
    for (std::size_t i = 0; i < parts.run.size(); ++i) {
        Timer& timer = *parts.run[i].timer;
        timer.slot_ = Timer::run_slot;
        timer.index_ = static_cast<std::uint32_t>(i);
    }
    return true;
}

void TimerQueue::clear() {
    if (parts_ == nullptr) return;
    const auto forget = [](Timer& timer) {
        timer.slot_ = Timer::inactive_slot;
        timer.expiry_ = Instant::never();
    };
    for (const TimerEntry& entry : parts_->heap.entries())
        forget(*entry.timer);
    for (const TimerEntry& entry : parts_->run) {
        if (entry.timer != nullptr) forget(*entry.timer);
    }
    if (parts_->wheel != nullptr) parts_->wheel->clear(forget);
    parts_.reset();
}

}  // namespace tern::loops
