#include "loops/poller_epoll.h"

#include "locking/check.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tern::loops {

namespace {

constexpr std::size_t events_max = 64;

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

}  // namespace

EpollPoller::EpollPoller(FileDescriptor epoll, FileDescriptor kick)
    : epoll_(std::move(epoll)), kick_(std::move(kick)) {}

int EpollPoller::wait_for(std::span<epoll_event> events, Duration timeout) {
    const int count = static_cast<int>(events.size());
    if (timeout <= Duration()) return epoll_wait(epoll_.get(), events.data(), count, 0);
    if (timeout.is_infinite()) return epoll_wait(epoll_.get(), events.data(), count, -1);
    if (precise_) {
        const timespec precise{timeout.seconds(), (timeout.microseconds() % 1'000'000) * 1000};
        const int found = epoll_pwait2(epoll_.get(), events.data(), count, &precise, nullptr);
        if (found >= 0 || errno != ENOSYS) return found;
        precise_ = false;
    }
    return epoll_wait(epoll_.get(), events.data(), count, to_milliseconds(timeout));
}

int EpollPoller::add(int fd, Interest interest, void* token) {
    epoll_event event{.events = to_epoll(interest), .data = {.ptr = token}};
    return control(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

int EpollPoller::change(int fd, Interest interest, void* token) {
    epoll_event event{.events = to_epoll(interest), .data = {.ptr = token}};
    return control(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EpollPoller::remove(int fd) {
    // Fails only if the owner closed the descriptor first, which took it out as well.
    control(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::size_t EpollPoller::wait(std::span<Report> reports, Duration timeout) {
    std::array<epoll_event, events_max> events;
    const std::size_t room = std::min(reports.size(), events_max);
    const int found = wait_for(std::span(events).first(room), timeout);
    if (found < 0) {
        TERN_ASSERT(errno == EINTR, "epoll_wait failed with errno ", errno);
        return 0;
    }
    std::size_t count = 0;
    for (int i = 0; i < found; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.ptr == nullptr) continue;  // the kick
        const std::uint32_t bits = event.events;
        reports[count++] = {event.data.ptr,
                            {(bits & EPOLLIN) != 0, (bits & EPOLLOUT) != 0, (bits & EPOLLERR) != 0,
                             (bits & EPOLLHUP) != 0}};
    }
    return count;
}

void EpollPoller::kick() {
    const std::uint64_t one = 1;
    // Full counter (EAGAIN) means that a kick is pending anyway; it needs 2^64 kicks.
    [[maybe_unused]] const ssize_t written = ::write(kick_.get(), &one, sizeof one);
}

std::unique_ptr<Poller> EpollFactory::make(PollerUse use) {
    FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) return nullptr;
    FileDescriptor kick;
    if (use == PollerUse::thread) {
        kick = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (!kick) return nullptr;
        epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
        if (control(epoll.get(), EPOLL_CTL_ADD, kick.get(), &event) != 0) return nullptr;
    }
    return std::make_unique<EpollPoller>(std::move(epoll), std::move(kick));
}

}  // namespace tern::loops
