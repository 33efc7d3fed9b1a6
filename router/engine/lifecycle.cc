#include "router/engine/lifecycle.h"

namespace tern::engine {

namespace {

using S = ProtocolState;
using E = ProtocolEvent;
using A = ProtocolAction;

constexpr std::array transitions = {
    Transition{S::down, E::enable, S::start, A::start},
    Transition{S::down, E::is_up, S::down, A::none},
    Transition{S::down, E::shutdown, S::down, A::none},
    Transition{S::down, E::has_stopped, S::down, A::none},
    Transition{S::down, E::flushed, S::down, A::none},

    Transition{S::start, E::enable, S::start, A::none},
    Transition{S::start, E::is_up, S::up, A::announce},
    Transition{S::start, E::shutdown, S::stop, A::shutdown},
    Transition{S::start, E::has_stopped, S::flush, A::flush},
    Transition{S::start, E::flushed, S::start, A::none},

    Transition{S::up, E::enable, S::up, A::none},
    Transition{S::up, E::is_up, S::up, A::none},
    Transition{S::up, E::shutdown, S::stop, A::shutdown},
    Transition{S::up, E::has_stopped, S::flush, A::flush},
    Transition{S::up, E::flushed, S::up, A::none},

    Transition{S::stop, E::enable, S::stop, A::none},
    Transition{S::stop, E::is_up, S::stop, A::none},
    Transition{S::stop, E::shutdown, S::stop, A::none},
    Transition{S::stop, E::has_stopped, S::flush, A::flush},
    Transition{S::stop, E::flushed, S::stop, A::none},

    Transition{S::flush, E::enable, S::flush, A::none},
    Transition{S::flush, E::is_up, S::flush, A::none},
    Transition{S::flush, E::shutdown, S::flush, A::none},
    Transition{S::flush, E::has_stopped, S::flush, A::none},
    Transition{S::flush, E::flushed, S::down, A::finish},
};

constexpr std::size_t index(S state, E event) {
    return static_cast<std::size_t>(state) * protocol_events + static_cast<std::size_t>(event);
}

constexpr bool each_pair_once() {
    if (transitions.size() != protocol_states * protocol_events) return false;
    for (std::size_t i = 0; i < transitions.size(); ++i) {
        if (index(transitions[i].from, transitions[i].event) != i) return false;
    }
    return true;
}

static_assert(each_pair_once(), "each (state, event) stands in the table once, in order");

constexpr std::array<std::string_view, protocol_states> state_names = {"down", "start", "up",
                                                                       "stop", "flush"};
constexpr std::array<std::string_view, protocol_events> event_names = {
    "enable", "is up", "shutdown", "has stopped", "flushed"};

}  // namespace

const Transition& transition(S from, E event) {
    return transitions[index(from, event)];
}

std::string_view name(S state) {
    return state_names[static_cast<std::size_t>(state)];
}

std::string_view name(E event) {
    return event_names[static_cast<std::size_t>(event)];
}

}  // namespace tern::engine
