#include "loops/sim_poller.h"

#include "locking/check.h"

#include <cerrno>

namespace tern::loops {

int SimDescriptors::open() {
    const int fd = next_++;
    descriptors_[fd];
    return fd;
}

void SimDescriptors::close(int fd) {
    const auto found = descriptors_.find(fd);
    TERN_ASSERT(found != descriptors_.end(), "closing unknown simulated descriptor ", fd);
    for (SimPoller* poller : found->second.pollers)
        poller->entries_.erase(fd);
    descriptors_.erase(found);
}

void SimDescriptors::set_ready(int fd, Ready ready) {
    const auto found = descriptors_.find(fd);
    TERN_ASSERT(found != descriptors_.end(), "unknown simulated descriptor ", fd);
    found->second.ready = ready;
    const std::set<SimPoller*> pollers = found->second.pollers;
    for (SimPoller* poller : pollers)
        poller->update();
}

Ready SimDescriptors::ready(int fd) const {
    const auto found = descriptors_.find(fd);
    return found == descriptors_.end() ? Ready{} : found->second.ready;
}

std::unique_ptr<Poller> SimDescriptors::make(PollerUse) {
    return std::make_unique<SimPoller>(*this);
}

void SimDescriptors::fail_adds(unsigned count, int error) {
    failing_ = count;
    error_ = error;
}

SimPoller::SimPoller(SimDescriptors& descriptors)
    : descriptors_(descriptors), fd_(descriptors.open()) {}

SimPoller::~SimPoller() {
    for (const auto& [fd, entry] : entries_)
        descriptors_.descriptors_[fd].pollers.erase(this);
    descriptors_.close(fd_);
}

int SimPoller::add(int fd, Interest interest, Token token) {
    const auto found = descriptors_.descriptors_.find(fd);
    if (found == descriptors_.descriptors_.end()) return EBADF;
    if (descriptors_.failing_ > 0) {
        --descriptors_.failing_;
        return descriptors_.error_;
    }
    if (!entries_.emplace(fd, Entry{interest, token}).second) return EEXIST;
    found->second.pollers.insert(this);
    update();
    return 0;
}

int SimPoller::change(int fd, Interest interest, Token token) {
    const auto found = entries_.find(fd);
    if (found == entries_.end()) return ENOENT;
    found->second = {interest, token};
    update();
    return 0;
}

void SimPoller::remove(int fd) {
    if (entries_.erase(fd) == 0) return;
    descriptors_.descriptors_[fd].pollers.erase(this);
    update();
}

Ready SimPoller::pending(int fd, const Entry& entry) const {
    Ready ready = descriptors_.ready(fd);
    ready.readable = ready.readable && (entry.interest & Interest::readable) != Interest::none;
    ready.writable = ready.writable && (entry.interest & Interest::writable) != Interest::none;
    return ready;
}

std::size_t SimPoller::wait(std::span<Report> reports, Duration) {
    std::size_t count = 0;
    auto at = entries_.upper_bound(reported_);
    reported_ = -1;
    for (std::size_t left = entries_.size(); left > 0; --left, ++at) {
        if (at == entries_.end()) at = entries_.begin();
        const Ready ready = pending(at->first, at->second);
        if (!ready.any()) continue;
        reports[count++] = {at->second.token, ready};
        if (count < reports.size()) continue;
        reported_ = at->first;
        break;
    }
    return count;
}

void SimPoller::update() {
    bool any = false;
    for (const auto& [fd, entry] : entries_)
        any = any || pending(fd, entry).any();
    if (descriptors_.ready(fd_).readable != any) {
        descriptors_.set_ready(fd_, Ready{.readable = any});
    }
}

}  // namespace tern::loops
