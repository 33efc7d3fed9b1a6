#pragma once

/// The last words of a program that used loops wrongly: which object, which loop, which thread it
/// belongs to, which thread this is, and where. Internal to loops/; called on the way to an abort
/// only, with anything held. It reads what other threads may be changing, so that a message shows
/// the moment as well as it can; it never returns.

#include "locking/check.h"

#include <string_view>

namespace tern::loops {

class Event;
class Loop;

/// `what` was touched without the domain of its loop.
[[noreturn]] void misuse_without_domain(const Loop& loop,
                                        std::string_view what,
                                        locking::Here where) noexcept;

/// `event` stands in `first` and was sent to `second`.
[[noreturn]] void misuse_second_loop(const Event& event,
                                     const Loop& first,
                                     const Loop& second,
                                     locking::Here where) noexcept;

/// `what` was done to a loop whose life does not allow it.
[[noreturn]] void misuse_of_loop(const Loop& loop,
                                 std::string_view what,
                                 locking::Here where) noexcept;

}  // namespace tern::loops
