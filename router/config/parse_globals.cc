#include "router/config/config.h"
#include "router/config/parse_top.h"
#include "router/config/values.h"

#include <array>

#include <fmt/format.h>

namespace tern::config {

namespace {

constexpr std::array severity_words = {
    Choice{"debug", 1},  Choice{"trace", 2},    Choice{"info", 4},
    Choice{"remote", 8}, Choice{"warning", 16}, Choice{"error", 32},
    Choice{"auth", 64},  Choice{"fatal", 128},  Choice{"bug", 256},
};

constexpr std::array latency_words = {
    Choice{"ping", 1},    Choice{"wakeup", 2},  Choice{"sockets", 4},    Choice{"scheduling", 8},
    Choice{"events", 16}, Choice{"timers", 32}, Choice{"allocator", 64},
};

void read_router_id(Parser& p) {
    const Position place = p.position();
    const std::uint32_t id = p.identifier();
    if (p.ok() && id == 0) p.fail(place, "Router ID must be nonzero");
    p.config().router_id = RouterId(id);
    p.config().router_id_from.reset();
}

void read_router_id_from(Parser& p) {
    p.config().router_id_from = parse_interface_pattern(p, true);
    p.config().router_id.reset();
}

void read_hostname(Parser& p) {
    p.config().hostname = p.text();
}

void read_restart_wait(Parser& p) {
    p.config().graceful_restart_wait = loops::seconds(p.number());
}

void read_mrtdump_file(Parser& p) {
    p.config().mrtdump_file = p.text();
}

void read_mrtdump(Parser& p) {
    p.config().debug.mrtdump = parse_mrt_mask(p);
}

void read_debug_protocols(Parser& p) {
    p.config().debug.protocols = parse_trace(p);
}

void read_debug_channels(Parser& p) {
    p.config().debug.channels = parse_trace(p);
}

void read_debug_tables(Parser& p) {
    p.config().debug.tables = parse_trace(p);
    for (const auto& table : p.config().tables) {
        if (table->implicit) table->debug = p.config().debug.tables;
    }
}

void read_debug_show_route(Parser& p) {
    p.config().debug.show_route = parse_trace(p);
}

void read_debug_commands(Parser& p) {
    p.config().debug.commands = p.number();
}

void read_debug_latency(Parser& p) {
    p.config().debug.latency = static_cast<LatencyMask>(parse_mask(p, latency_words));
}

void read_latency_limit(Parser& p) {
    p.config().debug.latency_limit = loops::microseconds(p.time());
}

void read_watchdog_warning(Parser& p) {
    p.config().watchdog.warning = loops::microseconds(p.time());
}

void read_watchdog_timeout(Parser& p) {
    const std::int64_t us = p.time();
    p.config().watchdog.timeout = loops::seconds((us + 999'999) / 1'000'000);
}

TimeFormat read_iso(Parser& p) {
    const bool is_long = p.accept("long");
    if (!is_long) p.expect("short");
    SubSecond digits = SubSecond::none;
    if (p.accept("ms")) {
        digits = SubSecond::milliseconds;
    } else if (p.accept("us")) {
        digits = SubSecond::microseconds;
    }
    return is_long ? iso_long(digits) : iso_short(digits);
}

void read_timeformat(Parser& p) {
    TimeFormats& formats = p.config().time_formats;
    TimeFormat* target = nullptr;
    if (p.accept("route")) {
        target = &formats.route;
    } else if (p.accept("protocol")) {
        target = &formats.protocol;
    } else if (p.accept("base")) {
        target = &formats.base;
    } else if (p.accept("log")) {
        target = &formats.log;
    } else {
        p.fail_unexpected({"ROUTE", "PROTOCOL", "BASE", "LOG"});
        return;
    }
    if (p.accept("iso")) {
        *target = read_iso(p);
        return;
    }
    TimeFormat format;
    format.recent = p.text();
    if (!p.at(TokenKind::semicolon)) {
        format.limit_us = std::int64_t{p.number()} * 1'000'000;
        format.older = p.text();
    }
    *target = std::move(format);
}

void read_cli(Parser& p) {
    CliSocketConfig socket;
    socket.position = p.position();
    socket.path = p.text();
    if (p.accept(TokenKind::left_brace)) {
        while (p.more(TokenKind::right_brace)) {
            if (p.accept("restrict")) {
                socket.restricted = true;
            } else if (p.accept_words("v2 attributes")) {
                socket.v2_attributes = true;
            } else if (!p.at(TokenKind::semicolon)) {
                p.fail_unexpected({"RESTRICT", "V2", "'}'"});
            }
            p.expect(TokenKind::semicolon);
        }
    }
    for (const CliSocketConfig& other : p.config().cli_sockets) {
        if (other.path == socket.path) {
            p.fail(socket.position, fmt::format("CLI socket '{}' already configured", socket.path));
        }
    }
    p.config().cli_sockets.push_back(std::move(socket));
}

void read_filter_stacks(Parser& p) {
    const Position place = p.position();
    const std::uint32_t values = p.number();
    const std::uint32_t calls = p.number();
    if (p.ok() && (values < 16 || calls < 16)) {
        p.fail(place, "Filter stack values lesser than 16 not supported");
        return;
    }
    p.config().filter_values = values;
    p.config().filter_calls = calls;
    p.language().set_stacks(values, calls);
}

void read_define(Parser& p) {
    p.language().parse_define(p);
}

void read_attribute(Parser& p) {
    p.language().parse_attribute(p);
}

void read_filter(Parser& p) {
    p.language().parse_filter(p);
}

void read_function(Parser& p) {
    p.language().parse_function(p);
}

void read_eval(Parser& p) {
    p.language().parse_eval(p);
}

void read_test(Parser& p) {
    p.language().parse_test(p);
}

void read_protocol(Parser& p) {
    parse_protocol_statement(p, false);
}

void read_template(Parser& p) {
    parse_protocol_statement(p, true);
}

constexpr std::array statements = {
    Statement{"router id", read_router_id, Ending::semicolon},
    Statement{"router id from", read_router_id_from, Ending::semicolon},
    Statement{"hostname", read_hostname, Ending::semicolon},
    Statement{"graceful restart wait", read_restart_wait, Ending::semicolon},
    Statement{"log", parse_log_statement, Ending::semicolon},
    Statement{"mrtdump", read_mrtdump_file, Ending::semicolon},
    Statement{"mrtdump protocols", read_mrtdump, Ending::optional},
    Statement{"debug protocols", read_debug_protocols, Ending::optional},
    Statement{"debug channels", read_debug_channels, Ending::optional},
    Statement{"debug tables", read_debug_tables, Ending::optional},
    Statement{"debug show route", read_debug_show_route, Ending::optional},
    Statement{"debug commands", read_debug_commands, Ending::optional},
    Statement{"debug latency", read_debug_latency, Ending::optional},
    Statement{"debug latency limit", read_latency_limit, Ending::optional},
    Statement{"watchdog warning", read_watchdog_warning, Ending::optional},
    Statement{"watchdog timeout", read_watchdog_timeout, Ending::optional},
    Statement{"timeformat", read_timeformat, Ending::semicolon},
    Statement{"cli", read_cli, Ending::semicolon},
    Statement{"threads", parse_threads_statement, Ending::optional},
    Statement{"thread group", parse_thread_group_statement, Ending::optional},
    Statement{"define", read_define, Ending::semicolon},
    Statement{"attribute", read_attribute, Ending::semicolon},
    Statement{"filter", read_filter, Ending::optional},
    Statement{"filter stacks", read_filter_stacks, Ending::semicolon},
    Statement{"function", read_function, Ending::optional},
    Statement{"eval", read_eval, Ending::optional},
    Statement{"bt_test_suite", read_test, Ending::optional},
    Statement{"bt_test_same", read_test, Ending::optional},
    Statement{"mpls domain", parse_mpls_domain_statement, Ending::optional},
    Statement{"protocol", read_protocol, Ending::optional},
    Statement{"template", read_template, Ending::optional},
};

void read_log_udp(Parser& p, LogTarget& target) {
    if (p.at(TokenKind::string)) {
        target.host = p.text();
    } else {
        target.address = p.address();
        target.host = target.address->to_string();
    }
    if (p.accept("port")) {
        target.port =
            static_cast<std::uint16_t>(p.number_in(0, 65535, "Port must be in range 0-65535"));
    }
}

void read_log_file(Parser& p, LogTarget& target) {
    target.path = p.text();
    if (p.at("all") || p.at(TokenKind::left_brace)) return;
    target.limit = p.number_in(16384, ~std::uint32_t{0},
                               "Log file size limit too low, must be at least 16384.");
    target.backup = p.text();
}

}  // namespace

std::span<const Statement> global_statements() {
    return statements;
}

void parse_log_statement(Parser& p) {
    LogTarget target;
    target.position = p.position();
    if (p.accept("syslog")) {
        target.kind = LogKind::syslog;
        if (p.accept("name")) target.name = p.text();
    } else if (p.accept("stderr")) {
        target.kind = LogKind::stderr_;
    } else if (p.accept("udp")) {
        target.kind = LogKind::udp;
        read_log_udp(p, target);
    } else if (p.accept("fixed")) {
        target.kind = LogKind::fixed;
        target.path = p.text();
        target.limit = p.number();
    } else {
        read_log_file(p, target);
    }
    if (p.at(TokenKind::left_brace) || p.at("all")) {
        target.classes = static_cast<SeverityMask>(parse_mask(p, severity_words));
    } else {
        p.fail_unexpected({"ALL", "'{'"});
    }
    p.config().logs.push_back(std::move(target));
}

}  // namespace tern::config
