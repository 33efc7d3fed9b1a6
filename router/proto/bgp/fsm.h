#pragma once

/// The BGP state machine of one connection, as one table.
/// (state, event) gives the next state and a set of actions; the session carries them out in the
/// order of the enumerators. Every pair stands in the table exactly once, which the compiler
/// proves. Pure and constexpr: no timers, no sockets, no log.
/// Source: RFC 4271 section 8, RFC 9687 (send hold timer), RFC 2918 (route refresh as UPDATE).

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tern::bgp {

enum class State : std::uint8_t { idle, connect, active, open_sent, open_confirm, established };

inline constexpr std::size_t state_count = 6;

/// RFC 4271 section 8.1, without those of options that BIRD does not have (DelayOpen,
/// DampPeerOscillations: idle hold is the `error wait time` of the peer, above this machine).
enum class Event : std::uint8_t {
    start,                  ///< 1, 3: connect at once
    start_passive,          ///< 4, 5: wait for the neighbour
    stop,                   ///< 2, 8: the owner ends the session, with the Cease it names
    connect_retry_expires,  ///< 9
    hold_expires,           ///< 10
    keepalive_expires,      ///< 11
    send_hold_expires,      ///< RFC 9687
    connected,              ///< 16, 17: the TCP connection stands
    connection_failed,      ///< 18: refused, reset or closed
    open_received,          ///< 19
    header_bad,             ///< 21
    open_bad,               ///< 22
    collision_lost,         ///< 23
    notification_version,   ///< 24
    notification,           ///< 25
    keepalive_received,     ///< 26
    update_received,        ///< 27
    update_bad,             ///< 28
    refresh_received,       ///< ROUTE-REFRESH
};

inline constexpr std::size_t event_count = 19;

/// What to do, as bits; done from the lowest bit up.
enum Action : std::uint32_t {
    send_notification = 1U << 0,   ///< the one that the event carries
    send_state_error = 1U << 1,    ///< NOTIFICATION 5/x of this state (RFC 6608)
    send_hold_error = 1U << 2,     ///< NOTIFICATION 4/0
    send_hold_log_only = 1U << 3,  ///< 8/0 goes to the log; it cannot be sent
    close = 1U << 4,               ///< drop the TCP connection and forget its input
    stop_timers = 1U << 5,
    count_failure = 1U << 6,  ///< ConnectRetryCounter + 1: feeds the error wait time
    clear_failures = 1U << 7,
    open_connection = 1U << 8,
    start_connect_retry = 1U << 9,
    stop_connect_retry = 1U << 10,
    send_open = 1U << 11,
    start_hold_large = 1U << 12,  ///< `startup hold time`
    send_keepalive = 1U << 13,
    start_keepalive = 1U << 14,  ///< with the negotiated time, nothing if that is zero
    start_hold = 1U << 15,       ///< likewise
    session_up = 1U << 16,       ///< channels may start
    process_update = 1U << 17,
    process_refresh = 1U << 18,
    session_down = 1U << 19,  ///< channels stop; only from established
};

using Actions = std::uint32_t;

struct Transition {
    State next = State::idle;
    Actions actions = 0;

    friend constexpr bool operator==(const Transition&, const Transition&) = default;
};

[[nodiscard]] std::string_view state_name(State state);
[[nodiscard]] std::string_view event_name(Event event);

[[nodiscard]] Transition transition(State state, Event event);

}  // namespace tern::bgp
