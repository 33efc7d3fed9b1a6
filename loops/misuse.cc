#include "loops/misuse.h"

#include "loops/event.h"
#include "loops/group_state.h"

#include <array>
#include <cstdio>

#include <pthread.h>
#include <unistd.h>

namespace tern::loops {

namespace {

using Line = std::array<char, 160>;

const char* name_of(LoopState state) {
    switch (state) {
        case LoopState::vacant:
            return "does not exist";
        case LoopState::idle:
            return "is idle";
        case LoopState::ready:
            return "is ready to run";
        case LoopState::running:
            return "is running";
        case LoopState::stopped:
            return "has stopped";
    }
    return "";
}

/// "loop a is running on thread worker-1"
Line describe(const Loop& loop, const LoopCell& cell) {
    const LoopWord word = cell.read();
    const GroupState* const group = cell.group.load(std::memory_order_acquire);
    Line line{};
    const auto name = loop.name();
    const int used = std::snprintf(line.data(), line.size(), "loop %.*s %s",
                                   static_cast<int>(name.size()), name.data(), name_of(word.state));
    if (word.owner != LoopWord::no_owner && group != nullptr && used > 0) {
        const auto at = static_cast<std::size_t>(used);
        std::snprintf(line.data() + at, line.size() - at, " on thread %s-%u",
                      group->options().name.c_str(), word.owner);
    }
    return line;
}

/// "this is thread worker-0 (4711), which runs loop b"
Line describe_this_thread() {
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    Line line{};
    const Loop* const runs = running_loop;
    const std::string_view loop = runs == nullptr ? "no loop" : runs->name();
    std::snprintf(line.data(), line.size(), "this is thread %s (%d), which runs %s%.*s",
                  name.data(), static_cast<int>(gettid()), runs == nullptr ? "" : "loop ",
                  static_cast<int>(loop.size()), loop.data());
    return line;
}

}  // namespace

void misuse_without_domain(const Loop& loop, std::string_view what, locking::Here where) noexcept {
    const Line that = describe(loop, loop.cell());
    const Line here = describe_this_thread();
    locking::fatal(where, {what, " without domain ", loop.domain().name(),
                           " of its loop: ", that.data(), "; ", here.data()});
}

void misuse_second_loop(const Event& event,
                        const Loop& first,
                        const Loop& second,
                        locking::Here where) noexcept {
    const Line queued = describe(first, first.cell());
    const Line sent = describe(second, second.cell());
    const Line here = describe_this_thread();
    locking::fatal(where, {"event ", static_cast<const void*>(&event),
                           " sent to a second loop while queued in one: queued in ", queued.data(),
                           ", sent to ", sent.data(), "; ", here.data()});
}

void misuse_of_loop(const Loop& loop, std::string_view what, locking::Here where) noexcept {
    const Line that = describe(loop, loop.cell());
    const Line here = describe_this_thread();
    locking::fatal(where, {what, ": ", that.data(), "; ", here.data()});
}

}  // namespace tern::loops
