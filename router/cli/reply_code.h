#pragma once

/// Reply codes of the control protocol: the first digit says how a reply ends.
/// 0xxx success, 1xxx table rows, 2xxx table headings, 8xxx run-time errors, 9xxx parse errors.
/// Numbers are what existing clients test, so none may ever change or be reused.

#include <cstdint>

namespace tern::cli {

enum class ReplyCode : std::uint16_t {
    ok = 0,
    welcome = 1,
    reading_configuration = 2,
    reconfigured = 3,
    reconfiguration_in_progress = 4,
    reconfiguration_queued = 5,
    reconfiguration_ignored = 6,
    shutdown_ordered = 7,
    already_disabled = 8,
    disabled = 9,
    already_enabled = 10,
    enabled = 11,
    restarted = 12,
    status_report = 13,
    route_count = 14,
    reloading = 15,
    access_restricted = 16,
    queued_configuration_removed = 17,
    configuration_confirmed = 18,
    nothing_to_do = 19,
    configuration_ok = 20,
    undo_requested = 21,
    undo_scheduled = 22,
    evaluation = 23,
    graceful_restart_status = 24,
    graceful_restart_ordered = 25,

    version = 1000,
    interface = 1001,
    protocol = 1002,
    interface_address = 1003,
    interface_flags = 1004,
    interface_summary = 1005,
    protocol_details = 1006,
    route = 1007,
    route_details = 1008,
    static_route = 1009,
    symbol = 1010,
    uptime = 1011,
    route_attributes = 1012,
    ospf_neighbors = 1013,
    ospf = 1014,
    ospf_interface = 1015,
    ospf_state = 1016,
    ospf_lsadb = 1017,
    memory = 1018,
    bfd_sessions = 1020,
    rip_interfaces = 1021,
    rip_neighbors = 1022,
    babel_interfaces = 1023,
    babel_neighbors = 1024,
    babel_entries = 1025,
    mpls_ranges = 1026,
    threads = 1027,
    memory_extra = 1028,
    /// A piece of a JSON reply; the texts of all such lines joined without separator are the JSON.
    json = 1100,
    /// A row of `show commands`: words, arguments and description with tabs between.
    command_help = 1101,

    protocol_heading = 2002,
    interface_summary_heading = 2005,

    reply_too_long = 8000,
    route_not_found = 8001,
    configuration_error = 8002,
    no_protocols_match = 8003,
    stopped = 8004,
    protocol_down = 8005,
    reload_failed = 8006,
    access_denied = 8007,
    evaluation_error = 8008,
    file_failed = 8009,

    command_too_long = 9000,
    parse_error = 9001,
    invalid_symbol = 9002,
    argument_too_long = 9003,
};

/// A reply that ends with such a code has failed; clients exit with status 1.
[[nodiscard]] constexpr bool is_failure(ReplyCode code) {
    return static_cast<std::uint16_t>(code) >= 8000;
}

}  // namespace tern::cli
