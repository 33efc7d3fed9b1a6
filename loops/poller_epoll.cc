#include "loops/poller_epoll.h"

#include "locking/check.h"
#include "locking/platform.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tern::loops {

namespace {

constexpr std::size_t events_max = 256;

std::uint32_t to_epoll(Interest interest) {
    std::uint32_t events = 0;
    if ((interest & Interest::readable) != Interest::none) events |= EPOLLIN;
    if ((interest & Interest::writable) != Interest::none) events |= EPOLLOUT;
    return events;
}

int control(int epoll, int operation, int fd, epoll_event* event) {
    return epoll_ctl(epoll, operation, fd, event) == 0 ? 0 : errno;
}

/// Rounds up, so that a timer is never found not yet due again and again.
int to_milliseconds(Duration timeout) {
    constexpr std::int64_t longest = 24 * 3600 * 1000;
    return static_cast<int>(std::min((timeout.microseconds() - 1) / 1000 + 1, longest));
}

/// `precise` is set to false if the kernel does not know waits of less than a millisecond.
int wait_for(int epoll, std::span<epoll_event> events, Duration timeout, bool& precise) {
    const int count = static_cast<int>(events.size());
    if (timeout <= Duration()) return epoll_wait(epoll, events.data(), count, 0);
    if (timeout.is_infinite()) return epoll_wait(epoll, events.data(), count, -1);
    if (precise) {
        const timespec limit{timeout.seconds(), (timeout.microseconds() % 1'000'000) * 1000};
        const int found = epoll_pwait2(epoll, events.data(), count, &limit, nullptr);
        if (found >= 0 || errno != ENOSYS) return found;
        precise = false;
    }
    return epoll_wait(epoll, events.data(), count, to_milliseconds(timeout));
}

}  // namespace

EpollPoller::EpollPoller(FileDescriptor epoll, FileDescriptor kick)
    : epoll_(std::move(epoll)), kick_(std::move(kick)) {}

int EpollPoller::add(int fd, Interest interest, Token token) {
    epoll_event event{.events = to_epoll(interest), .data = {.u64 = token}};
    const int error = control(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
    if (error != 0) return error;
    // Who waits on the word has not seen that there is something to watch.
    if (watched_.fetch_add(1, std::memory_order_seq_cst) == 0 &&
        state_.load(std::memory_order_seq_cst) == on_word) {
        kick();
    }
    return 0;
}

int EpollPoller::change(int fd, Interest interest, Token token) {
    epoll_event event{.events = to_epoll(interest), .data = {.u64 = token}};
    return control(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EpollPoller::remove(int fd) {
    // Fails only if the owner closed the descriptor first, which took it out as well.
    control(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    watched_.fetch_sub(1, std::memory_order_seq_cst);
}

std::size_t EpollPoller::wait(std::span<Report> reports, Duration timeout) {
    if (watched_.load(std::memory_order_seq_cst) == 0) {
        wait_on_word(timeout);
        return 0;
    }
    std::array<epoll_event, events_max> events;
    const std::size_t room = std::min(reports.size(), events_max);
    const int found = wait_in_epoll(std::span(events).first(room), timeout);
    if (found < 0) {
        TERN_ASSERT(errno == EINTR, "epoll_wait failed with errno ", errno);
        return 0;
    }
    std::size_t count = 0;
    for (int i = 0; i < found; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.u64 == 0) continue;  // the kick
        const std::uint32_t bits = event.events;
        reports[count++] = {event.data.u64,
                            {(bits & EPOLLIN) != 0, (bits & EPOLLOUT) != 0, (bits & EPOLLERR) != 0,
                             (bits & EPOLLHUP) != 0}};
    }
    return count;
}

/// From here on a kick knows how to end the wait; false if one has come already.
bool EpollPoller::begin_wait(State how) noexcept {
    std::uint32_t seen = awake;
    return state_.compare_exchange_strong(seen, how, std::memory_order_seq_cst);
}

void EpollPoller::wait_on_word(Duration timeout) noexcept {
    if (timeout > Duration() && begin_wait(on_word) &&
        watched_.load(std::memory_order_seq_cst) == 0) {
        const std::uint64_t limit_ns =
            timeout.is_infinite() ? locking::platform::no_limit
                                  : static_cast<std::uint64_t>(timeout.microseconds()) * 1000;
        locking::platform::sleep_on(state_, on_word, locking::platform::all_channels, limit_ns);
    }
    state_.store(awake, std::memory_order_release);
}

int EpollPoller::wait_in_epoll(std::span<epoll_event> events, Duration timeout) {
    if (timeout > Duration() && !begin_wait(in_epoll)) timeout = Duration();
    const int found = wait_for(epoll_.get(), events, timeout, precise_);
    state_.store(awake, std::memory_order_release);
    return found;
}

void EpollPoller::kick() {
    switch (state_.exchange(kicked, std::memory_order_seq_cst)) {
        case on_word:
            locking::platform::wake_one(state_, locking::platform::all_channels);
            break;
        case in_epoll: {
            const std::uint64_t one = 1;
            // Full counter (EAGAIN) means that a kick is pending anyway; it needs 2^64 kicks.
            [[maybe_unused]] const ssize_t written = ::write(kick_.get(), &one, sizeof one);
            break;
        }
        default:  // the next wait ends at once
            break;
    }
}

std::unique_ptr<Poller> EpollFactory::make(PollerUse use) {
    FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) return nullptr;
    FileDescriptor kick;
    if (use == PollerUse::thread) {
        kick = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (!kick) return nullptr;
        epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = 0}};
        if (control(epoll.get(), EPOLL_CTL_ADD, kick.get(), &event) != 0) return nullptr;
    }
    return std::make_unique<EpollPoller>(std::move(epoll), std::move(kick));
}

}  // namespace tern::loops
