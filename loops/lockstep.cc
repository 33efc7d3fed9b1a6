#include "loops/lockstep_testing.h"

#include <algorithm>

namespace tern::loops::test {

/// Reports nothing; in these tests nobody watches descriptors.
class Lockstep::ThreadPoller final : public Poller {
  public:
    ThreadPoller(Lockstep& lockstep, Track& track) : lockstep_(lockstep), track_(track) {}

    int add(int, Interest, Token) override { return 0; }

    int change(int, Interest, Token) override { return 0; }

    void remove(int) override {}

    std::size_t wait(std::span<Report>, Duration timeout) override {
        lockstep_.rest(track_, timeout);
        return 0;
    }

    void kick() override { lockstep_.kick(track_); }

    int descriptor() const override { return -1; }

  private:
    Lockstep& lockstep_;
    Track& track_;
};

std::unique_ptr<Poller> Lockstep::make(PollerUse) {
    const std::lock_guard lock(mutex_);
    Track& track = *tracks_.emplace_back(std::make_unique<Track>());
    return std::make_unique<ThreadPoller>(*this, track);
}

Lockstep::Track* Lockstep::mine() const {
    const auto found = of_threads_.find(std::this_thread::get_id());
    return found == of_threads_.end() ? nullptr : found->second;
}

Instant Lockstep::now() const {
    const std::lock_guard lock(mutex_);
    const Track* const track = mine();
    return track == nullptr ? start : track->now;
}

/// Whether this thread is the one that is furthest behind; the order of pollers decides ties.
bool Lockstep::first(const Track& track) const {
    if (finished_) return true;
    if (of_threads_.size() < threads_ || track.next().is_never()) return false;
    bool before = true;
    for (const std::unique_ptr<Track>& other : tracks_) {
        if (other.get() == &track) {
            before = false;
        } else if (other->next() < track.next() || (before && other->next() == track.next())) {
            return false;
        }
    }
    return true;
}

void Lockstep::pass(std::unique_lock<std::mutex>& lock, Track& track) {
    changed_.notify_all();
    changed_.wait(lock, [&] { return first(track); });
}

void Lockstep::rest(Track& track, Duration timeout) {
    std::unique_lock lock(mutex_);
    of_threads_.emplace(std::this_thread::get_id(), &track);
    track.now += poll_cost;
    track.resting = timeout > Duration() && !track.kicked;
    track.wakes_at = track.now + timeout;
    pass(lock, track);
    track.now = std::max(track.now, track.resting ? track.wakes_at : track.now);
    track.resting = track.kicked = false;
}

void Lockstep::kick(Track& track) {
    const std::lock_guard lock(mutex_);
    const Track* const kicker = mine();
    track.kicked = true;
    if (!track.resting) return;
    const Instant from = kicker == nullptr ? track.now : std::max(track.now, kicker->now);
    track.wakes_at = std::min(track.wakes_at, from + kick_cost);
}

void Lockstep::work(Duration span) {
    std::unique_lock lock(mutex_);
    Track& track = *mine();
    track.now += span;
    pass(lock, track);
}

void Lockstep::finish() {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
}

}  // namespace tern::loops::test
