#include "loops/watcher.h"

#include "locking/check.h"
#include "loops/group_state.h"
#include "loops/loop.h"

#include <cstdio>

namespace tern::loops {

Watcher::Watcher(Loop& loop,
                 int fd,
                 Interest interest,
                 WatchFunction function,
                 void* context,
                 locking::Here where)
    : loop_(&loop), fd_(fd), function_(function), context_(context), interest_(interest) {
    require(loop, "made", where);
    TERN_ASSERT(fd >= 0, "watcher of descriptor ", fd);
    attach();
}

Watcher::~Watcher() {
    if (loop_ == nullptr) return;
    require(*loop_, "destroyed", locking::Here::now());
    detach();
}

void Watcher::require(const Loop& loop, std::string_view what, locking::Here where) const {
    if (loop.domain().held_by_this_thread()) return;
    std::array<char, 64> text;
    const int size = std::snprintf(text.data(), text.size(), "watcher of descriptor %d %.*s", fd_,
                                   static_cast<int>(what.size()), what.data());
    misuse_without_domain(loop, {text.data(), static_cast<std::size_t>(size)}, where);
}

void Watcher::attach() {
    Loop& loop = *loop_;
    Links& all = loop.io().watchers;
    Links& links = *this;
    links.next = &all;
    links.previous = all.previous;
    all.previous->next = this;
    all.previous = this;
    silenced_ = false;
    failed_ = false;
    if (!loop.silent()) update();
}

void Watcher::detach() {
    if (slot_ != nullptr) loop_->io_->remove(*this);
    loop_->forget(*this);
}

/// Brings the poller in line with what is wanted.
void Watcher::update() {
    Loop& loop = *loop_;
    if (loop.silent()) return;
    const Interest wanted = effective();
    if (silenced_ && wanted == Interest::none) return;
    silenced_ = false;
    if (slot_ != nullptr && wanted == registered_) return;
    LoopIo& io = loop.io();
    if (io.settled()) {
        if ((slot_ != nullptr ? io.change(*this, wanted) : io.add(*this, wanted)) == 0) return;
        failed_ = io.failures = true;
    }
    loop.wake();
}

void Watcher::set_interest(Interest interest, locking::Here where) {
    require(*loop_, "changed", where);
    interest_ = interest;
    update();
}

void Watcher::set_handler(WatchFunction function, void* context, locking::Here where) {
    require(*loop_, "changed", where);
    function_ = function;
    context_ = context;
}

void Watcher::pause_rx(PauseReason reason, locking::Here where) {
    require(*loop_, "paused", where);
    std::uint8_t& count = pauses_[static_cast<std::size_t>(reason)];
    TERN_ASSERT(count < UINT8_MAX, "watcher paused too often");
    ++count;
    paused_ = true;
    update();
}

void Watcher::resume_rx(PauseReason reason, locking::Here where) {
    require(*loop_, "resumed", where);
    std::uint8_t& count = pauses_[static_cast<std::size_t>(reason)];
    TERN_ASSERT(count > 0, "watcher resumed without a pause");
    --count;
    if (GroupState::of(loop_->group()).defects().resumes_all) pauses_ = {};
    paused_ = pauses_ != std::array<std::uint8_t, 4>{};
    update();
}

void Watcher::move_to(Loop& loop, locking::Here where) {
    require(*loop_, "moved away", where);
    require(loop, "moved in", where);
    if (&loop == loop_) return;
    detach();
    loop_ = &loop;
    attach();
}

void Watcher::deliver(Turn& turn, Ready ready) {
    // What was asked for may have changed since the kernel was asked.
    const Defects& defects = GroupState::of(turn.loop().group()).defects();
    const Interest wanted = defects.delivers_paused ? interest_ : effective();
    ready.readable = ready.readable && (wanted & Interest::readable) != Interest::none;
    ready.writable = ready.writable && (wanted & Interest::writable) != Interest::none;
    if (!ready.any()) return;
    if (wanted == Interest::none && !defects.repeats_errors) {
        // The kernel would repeat errors and hang-ups for ever: say it once.
        loop_->io_->remove(*this);
        silenced_ = true;
    }
    function_(context_, turn, ready);
}

}  // namespace tern::loops
