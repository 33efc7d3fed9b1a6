#include "router/proto/bgp/fsm.h"

namespace tern::bgp {

namespace {

using enum State;
using enum Event;

constexpr std::uint32_t bit(Event event) {
    return 1U << static_cast<unsigned>(event);
}

template <class... Events>
constexpr std::uint32_t on(Events... events) {
    return (bit(events) | ...);
}

struct Row {
    State state;
    std::uint32_t events;
    State next;
    Actions actions;
};

constexpr Actions down = close | stop_timers;
constexpr Actions failed = down | count_failure;

// A message before its time (RFC 4271 section 8.2.2 "any other event"); one that refuses our
// version has rows of its own.
constexpr std::uint32_t messages = on(open_received,
                                      header_bad,
                                      open_bad,
                                      notification,
                                      keepalive_received,
                                      update_received,
                                      update_bad,
                                      refresh_received);

constexpr std::array table{
    // Idle: refuses everything but a start.
    Row{idle, on(start), connect, clear_failures | open_connection | start_connect_retry},
    Row{idle, on(start_passive), active, clear_failures | start_connect_retry},
    Row{idle,
        on(stop,
           connect_retry_expires,
           hold_expires,
           keepalive_expires,
           send_hold_expires,
           connected,
           connection_failed,
           collision_lost,
           notification_version) |
            messages,
        idle, 0},

    // Connect: our TCP connection is on its way.
    Row{connect, on(start, start_passive), connect, 0},
    Row{connect, on(stop), idle, down | clear_failures},
    Row{connect, on(connect_retry_expires), connect, close | open_connection | start_connect_retry},
    Row{connect, on(connected), open_sent, stop_connect_retry | send_open | start_hold_large},
    Row{connect, on(connection_failed), active, close | start_connect_retry},
    Row{connect, on(notification_version), idle, down},
    Row{connect, on(hold_expires, keepalive_expires, send_hold_expires, collision_lost) | messages,
        idle, failed},

    // Active: waits for the neighbour, or for the time to try again.
    Row{active, on(start, start_passive), active, 0},
    Row{active, on(stop), idle, down | clear_failures},
    Row{active, on(connect_retry_expires), connect, open_connection | start_connect_retry},
    Row{active, on(connected), open_sent, stop_connect_retry | send_open | start_hold_large},
    Row{active, on(connection_failed), idle, failed},
    Row{active, on(notification_version), idle, down},
    Row{active, on(hold_expires, keepalive_expires, send_hold_expires, collision_lost) | messages,
        idle, failed},

    // OpenSent: our OPEN is out.
    Row{open_sent, on(start, start_passive), open_sent, 0},
    Row{open_sent, on(stop), idle, send_notification | down | clear_failures},
    Row{open_sent, on(hold_expires), idle, send_hold_error | failed},
    Row{open_sent, on(send_hold_expires), idle, send_hold_log_only | failed},
    Row{open_sent, on(connection_failed), active, close | start_connect_retry},
    Row{open_sent, on(open_received), open_confirm,
        stop_connect_retry | send_keepalive | start_keepalive | start_hold},
    Row{open_sent, on(header_bad, open_bad, collision_lost), idle, send_notification | failed},
    Row{open_sent, on(notification_version), idle, down},
    Row{open_sent, on(notification), idle, failed},
    Row{open_sent,
        on(connect_retry_expires,
           keepalive_expires,
           connected,
           keepalive_received,
           update_received,
           update_bad,
           refresh_received),
        idle, send_state_error | failed},

    // OpenConfirm: both OPENs are fine, the neighbour's KEEPALIVE is missing.
    Row{open_confirm, on(start, start_passive), open_confirm, 0},
    Row{open_confirm, on(stop), idle, send_notification | down | clear_failures},
    Row{open_confirm, on(hold_expires), idle, send_hold_error | failed},
    Row{open_confirm, on(send_hold_expires), idle, send_hold_log_only | failed},
    Row{open_confirm, on(keepalive_expires), open_confirm, send_keepalive | start_keepalive},
    Row{open_confirm, on(connection_failed, notification), idle, failed},
    Row{open_confirm, on(notification_version), idle, down},
    Row{open_confirm, on(header_bad, open_bad, collision_lost), idle, send_notification | failed},
    Row{open_confirm, on(keepalive_received), established, start_hold | session_up},
    Row{open_confirm,
        on(connect_retry_expires,
           connected,
           open_received,
           update_received,
           update_bad,
           refresh_received),
        idle, send_state_error | failed},

    // Established.
    Row{established, on(start, start_passive), established, 0},
    Row{established, on(stop), idle, send_notification | down | clear_failures | session_down},
    Row{established, on(hold_expires), idle, send_hold_error | failed | session_down},
    Row{established, on(send_hold_expires), idle, send_hold_log_only | failed | session_down},
    Row{established, on(keepalive_expires), established, send_keepalive | start_keepalive},
    Row{established, on(connection_failed, notification, notification_version), idle,
        failed | session_down},
    Row{established, on(header_bad, collision_lost, update_bad), idle,
        send_notification | failed | session_down},
    Row{established, on(keepalive_received), established, start_hold},
    Row{established, on(update_received), established, start_hold | process_update},
    Row{established, on(refresh_received), established, start_hold | process_refresh},
    Row{established, on(connect_retry_expires, connected, open_received, open_bad), idle,
        send_state_error | failed | session_down},
};

constexpr unsigned times_listed(std::size_t state, std::size_t event) {
    unsigned count = 0;
    for (const Row& row : table) {
        if (static_cast<std::size_t>(row.state) == state && (row.events >> event & 1) != 0) ++count;
    }
    return count;
}

constexpr bool each_pair_once() {
    for (std::size_t state = 0; state < state_count; ++state) {
        for (std::size_t event = 0; event < event_count; ++event) {
            if (times_listed(state, event) != 1) return false;
        }
    }
    return true;
}

static_assert(each_pair_once(), "every (state, event) pair stands in exactly one row");

using Matrix = std::array<std::array<Transition, event_count>, state_count>;

constexpr Matrix make_matrix() {
    Matrix matrix{};
    for (const Row& row : table) {
        for (std::size_t event = 0; event < event_count; ++event) {
            if ((row.events >> event & 1) == 0) continue;
            matrix[static_cast<std::size_t>(row.state)][event] = {row.next, row.actions};
        }
    }
    return matrix;
}

constexpr Matrix matrix = make_matrix();

constexpr std::array<std::string_view, state_count> state_names{
    "Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"};

constexpr std::array<std::string_view, event_count> event_names{
    "start",
    "start passive",
    "stop",
    "connect retry timer expired",
    "hold timer expired",
    "keepalive timer expired",
    "send hold timer expired",
    "connected",
    "connection failed",
    "OPEN received",
    "bad message header",
    "bad OPEN",
    "lost connection collision",
    "NOTIFICATION of version error",
    "NOTIFICATION received",
    "KEEPALIVE received",
    "UPDATE received",
    "bad UPDATE",
    "ROUTE-REFRESH received",
};

}  // namespace

std::string_view state_name(State state) {
    return state_names[static_cast<std::size_t>(state)];
}

std::string_view event_name(Event event) {
    return event_names[static_cast<std::size_t>(event)];
}

Transition transition(State state, Event event) {
    return matrix[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

}  // namespace tern::bgp
