#pragma once

/// How BIRD 3.3.2 decides which thread runs what, on the virtual time of Lockstep: the whole rule
/// with its defects, so that AT-BUSY-2 can be seen to fail with it. Written from its description,
/// for tests, which own it. It knows loops as numbers: some always want to run, the others never.
///
///   busy   four turns with less than 5 ms to wait, whatever came between; idle after one of 300 ms
///   drop   runnable loops, in the order of the list, that have not moved for a second; none by a
///          thread that took or gave one itself lately; the next thread is woken, and the walk
///          ends, only once half the square of what was dropped exceeds what is left
///   take   one and an equal share of what lies there; one only if something moved here lately

#include "loops/lockstep_testing.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

namespace tern::loops::test {

class OldBalance {
  public:
    /// All loops begin on the first thread; the last `hot` of the list are busy.
    OldBalance(unsigned threads, unsigned loops, unsigned hot)
        : lockstep_(threads), threads_(threads), members_(threads) {
        for (Member& member : members_)
            member.poller = lockstep_.make(PollerUse::thread);
        for (unsigned i = 0; i < loops; ++i)
            members_[0].loops.push_back({.hot = i + hot >= loops});
    }

    /// How many more busy loops the thread with the most has than the one with the least, then.
    unsigned run(Duration span) {
        std::vector<std::thread> threads;
        for (Member& member : members_)
            threads.emplace_back([this, &member, span] { serve(member, span); });
        for (std::thread& thread : threads)
            thread.join();
        std::vector<long> counts;
        for (const Member& member : members_)
            counts.push_back(std::count_if(member.loops.begin(), member.loops.end(), is_hot));
        // What lies unassigned counts for nobody.
        const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
        return static_cast<unsigned>(*most - *least);
    }

  private:
    static constexpr Duration slice = milliseconds(10);
    static constexpr Duration lately = seconds(1);
    static constexpr Duration short_wait = milliseconds(5);
    static constexpr int busy_enter = 4;

    struct OldLoop {
        bool hot = false;
        Instant moved;
    };

    struct Member {
        std::unique_ptr<Poller> poller;
        std::deque<OldLoop> loops;
        Instant moved;
        int count = 0;
        bool busy = false;
    };

    static bool is_hot(const OldLoop& loop) { return loop.hot; }

    static bool moved_lately(Instant moved, Instant now) {
        return !moved.is_zero() && now - moved < lately;
    }

    // One thread moves at a time, so what they share needs no lock.
    void serve(Member& self, Duration span) {
        self.poller->wait({}, Duration());
        const Instant end = lockstep_.now() + span;
        while (!over_) {
            take(self);
            for (const OldLoop& loop : self.loops) {
                if (loop.hot) lockstep_.work(slice);
                if (over_) return;  // from now on nobody waits for anybody
            }
            const bool runnable = std::any_of(self.loops.begin(), self.loops.end(), is_hot);
            const Duration wait = runnable ? Duration() : std::max(end - lockstep_.now(), slice);
            feed(self, wait);
            if (self.busy && busy_ < threads_ && self.loops.size() > 1) drop(self);
            if (lockstep_.now() >= end) {
                over_ = true;
                lockstep_.finish();
            }
            self.poller->wait({}, wait);
        }
    }

    /// The counter never goes down while the thread is not busy.
    void feed(Member& self, Duration wait) {
        if (wait < short_wait) {
            self.count = std::min(self.count + 1, busy_enter);
            if (self.count == busy_enter) set_busy(self, true);
        } else if (self.busy) {
            self.count = wait > milliseconds(300) ? 0 : self.count - 1;
            if (self.count <= 0) set_busy(self, false);
        }
    }

    void set_busy(Member& self, bool busy) {
        if (self.busy == busy) return;
        self.busy = busy;
        busy ? ++busy_ : --busy_;
        if (!busy) self.count = 0;
    }

    void drop(Member& self) {
        const Instant now = lockstep_.now();
        if (moved_lately(self.moved, now)) return;
        std::size_t dropped = 0;
        for (auto at = self.loops.begin(); at != self.loops.end();) {
            if (!at->hot || moved_lately(at->moved, now)) {
                ++at;
                continue;
            }
            at->moved = self.moved = now;
            unassigned_.push_back(*at);
            at = self.loops.erase(at);
            ++dropped;
            if (dropped * dropped / 2 <= self.loops.size()) continue;
            next_ = (next_ + 1) % threads_;
            members_[next_].poller->kick();
            return;
        }
        if (dropped == 0) set_busy(self, false);
    }

    void take(Member& self) {
        const Instant now = lockstep_.now();
        const std::size_t idle = threads_ - busy_ + 1;
        std::size_t share = 1 + (moved_lately(self.moved, now) ? 0 : unassigned_.size() / idle);
        for (; share > 0 && !unassigned_.empty(); --share) {
            unassigned_.front().moved = self.moved = now;
            self.loops.push_back(unassigned_.front());
            unassigned_.pop_front();
        }
    }

    Lockstep lockstep_;
    const unsigned threads_;
    std::vector<Member> members_;
    std::deque<OldLoop> unassigned_;
    unsigned busy_ = 0;
    unsigned next_ = 0;
    std::atomic<bool> over_{false};
};

}  // namespace tern::loops::test
