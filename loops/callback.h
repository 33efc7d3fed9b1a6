#pragma once

/// What loops call: a plain function and a pointer handed back to it.
/// Handlers run in a turn of one loop with its domain held, never two at once for one loop. A
/// callback owns nothing and allocates nothing; whoever embeds it outlives it.
/// callback<&Session::hold_expired>(*this) makes one from a method that takes (Turn&) or nothing.

#include <cstdint>
#include <type_traits>

namespace tern::loops {

class Turn;

/// A handler; `turn` is lent for the call. It may destroy the event or timer that it came from.
using Function = void (*)(void* context, Turn& turn);

/// Sixteen bytes, a plain value; `context` is borrowed and must live while the callback may be
/// called.
struct Callback {
    Function function = nullptr;
    void* context = nullptr;
};

/// A callback of a method that takes (Turn&) or nothing. The object is borrowed.
template <auto Method, class T>
constexpr Callback callback(T& object) {
    return {[](void* context, Turn& turn) {
                T& self = *static_cast<T*>(context);
                if constexpr (std::is_invocable_v<decltype(Method), T&, Turn&>) {
                    (self.*Method)(turn);
                } else {
                    (self.*Method)();
                }
            },
            &object};
}

/// Two pointers that tie something into a list of its loop; both null while it is in none.
struct Links {
    Links* next = nullptr;
    Links* previous = nullptr;
};

}  // namespace tern::loops
