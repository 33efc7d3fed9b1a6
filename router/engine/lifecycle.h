#pragma once
/// The life of a protocol instance as a table: down, start, up, stop, flush and back.
/// Pure: a state and an event give the next state and what to do. The instance carries it out under
/// its loop's domain. Every pair stands in the table exactly once, which the compiler proves.

#include <array>
#include <cstdint>
#include <string_view>

namespace tern::engine {

enum class ProtocolState : std::uint8_t { down, start, up, stop, flush };
inline constexpr std::size_t protocol_states = 5;

enum class ProtocolEvent : std::uint8_t {
    enable,       ///< the supervisor wants it to run
    is_up,        ///< the protocol says: ready
    shutdown,     ///< the supervisor wants it down, or an error does
    has_stopped,  ///< the protocol says: nothing of mine runs any more
    flushed,      ///< no route of it is left in any table
};
inline constexpr std::size_t protocol_events = 5;

enum class ProtocolAction : std::uint8_t {
    none,
    start,     ///< create the channels, call Protocol::start
    announce,  ///< open the channels of simple protocols, tell observers
    shutdown,  ///< call Protocol::shutdown
    flush,     ///< close the channels, sweep the tables
    finish,    ///< call Protocol::cleanup, report to the supervisor
};

struct Transition {
    ProtocolState from;
    ProtocolEvent event;
    ProtocolState to;
    ProtocolAction action;
};

[[nodiscard]] const Transition& transition(ProtocolState from, ProtocolEvent event);
[[nodiscard]] std::string_view name(ProtocolState state);
[[nodiscard]] std::string_view name(ProtocolEvent event);

}  // namespace tern::engine
