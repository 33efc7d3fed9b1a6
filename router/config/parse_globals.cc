#include "router/config/config.h"
#include "router/config/parse_top.h"
#include "router/config/values.h"

#include <array>

#include <fmt/format.h>

namespace tern::config {

namespace {

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

void refuse_mrtdump_file(Parser& p) {
    fail_unavailable(p, p.last_position(), "mrtdump");
}

void refuse_mrtdump(Parser& p) {
    refuse_unless_off(p, mrt_words(), "mrtdump protocols");
}

void read_debug_protocols(Parser& p) {
    p.config().debug.protocols = parse_trace(p);
}

void read_debug_channels(Parser& p) {
    p.config().debug.channels = parse_trace(p);
}

void refuse_debug_tables(Parser& p) {
    refuse_unless_off(p, trace_words(), "debug tables");
}

void refuse_debug_show_route(Parser& p) {
    refuse_unless_off(p, trace_words(), "debug show route");
}

void read_debug_commands(Parser& p) {
    p.config().debug.commands = p.number();
}

void refuse_debug_latency(Parser& p) {
    refuse_unless_off(p, latency_words, "debug latency");
}

void refuse_latency_limit(Parser& p) {
    fail_unavailable(p, p.last_position(), "debug latency limit");
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
    Statement{"router id", "NUM | IPv4", read_router_id, Ending::semicolon, "lowest IPv4 address",
              "identity of this router for BGP and others"},
    Statement{"router id from", "PATTERN, …", read_router_id_from, Ending::semicolon, "",
              "choose the router id among these interfaces and networks"},
    Statement{"hostname", "\"TEXT\"", read_hostname, Ending::semicolon, "the system's",
              "name for `show status`, remote logs and the BGP capability"},
    Statement{"graceful restart wait", "SECONDS", read_restart_wait, Ending::semicolon, "240",
              "longest recovery after a start with `-R`"},
    Statement{"log", "DESTINATION CLASSES", parse_log_statement, Ending::semicolon, "syslog, all",
              "where messages of these classes go; may be repeated"},
    Statement{"mrtdump", "\"FILE\"", refuse_mrtdump_file, Ending::semicolon, "",
              "file for MRT records of protocols; not in this build"},
    Statement{"mrtdump protocols", "MASK", refuse_mrtdump, Ending::optional, "off",
              "what protocols write into it; not in this build unless `off`"},
    Statement{"debug protocols", "MASK", read_debug_protocols, Ending::optional, "off",
              "`debug` of the protocols defined further down"},
    Statement{"debug channels", "MASK", read_debug_channels, Ending::optional, "off",
              "`debug` of the channels defined further down"},
    Statement{"debug tables", "MASK", refuse_debug_tables, Ending::optional, "off",
              "`debug` of the tables defined further down; not in this build unless `off`"},
    Statement{"debug show route", "MASK", refuse_debug_show_route, Ending::optional, "off",
              "what `show route export` and its kin trace; not in this build unless `off`"},
    Statement{"debug commands", "NUM", read_debug_commands, Ending::optional, "0",
              "log clients of control sockets (1) and their commands (2)"},
    Statement{"debug latency", "MASK", refuse_debug_latency, Ending::optional, "off",
              "what is traced of the scheduler; not in this build unless `off`"},
    Statement{"debug latency limit", "TIME", refuse_latency_limit, Ending::optional, "",
              "shortest delay that is worth a message; not in this build"},
    Statement{"watchdog warning", "TIME", read_watchdog_warning, Ending::optional, "5 s",
              "log what keeps a thread for longer"},
    Statement{"watchdog timeout", "TIME", read_watchdog_timeout, Ending::optional, "off",
              "abort the daemon when a thread is kept for longer"},
    Statement{"memory", "{ OPTIONS }", parse_memory_statement, Ending::optional, "",
              "free pages the process keeps; see below"},
    Statement{"timeformat", "route | protocol | base | log FORMAT", read_timeformat,
              Ending::semicolon, "`iso short ms`, base and log `iso long ms`",
              "how times are shown"},
    Statement{"cli", "\"PATH\" [{ restrict; v2 attributes; }]", read_cli, Ending::semicolon, "",
              "a further control socket"},
    Statement{"threads", "NUM", parse_threads_statement, Ending::optional, "1",
              "threads of the group `worker`; `thread group` says more"},
    Statement{"thread group", "NAME { OPTIONS }", parse_thread_group_statement, Ending::optional,
              "worker, express", "a set of threads; see below"},
    Statement{"define", "NAME = TERM", read_define, Ending::semicolon, "", "a constant"},
    Statement{"attribute", "TYPE NAME | bgp NUM TYPE NAME", read_attribute, Ending::semicolon, "",
              "a route attribute of your own, or a name for a BGP attribute"},
    Statement{"filter", "NAME { … }", read_filter, Ending::optional, "", "a filter"},
    Statement{"filter stacks", "NUM NUM", read_filter_stacks, Ending::semicolon, "128 128",
              "depth of values and of calls in filters, at least 16"},
    Statement{"function", "NAME (TYPE NAME; …) [-> TYPE] { … }", read_function, Ending::optional,
              "", "a function for filters"},
    Statement{"eval", "TERM", read_eval, Ending::optional, "", "evaluate while reading"},
    Statement{"bt_test_suite", "(FUNCTION, \"TEXT\")", read_test, Ending::optional, "",
              "a test of the filter language; ignored here"},
    Statement{"bt_test_same", "(FILTER, FILTER, NUM)", read_test, Ending::optional, "", "likewise"},
    Statement{"mpls domain", "NAME [{ … }]", parse_mpls_domain_statement, Ending::optional, "",
              "a label space; not in this build"},
    Statement{"protocol", "TYPE [NAME] [from NAME] { OPTIONS }", read_protocol, Ending::optional,
              "", "an instance of a protocol"},
    Statement{"template", "TYPE [NAME] [from NAME] { OPTIONS }", read_template, Ending::optional,
              "", "options to be inherited by `from`"},
};

}  // namespace

std::span<const Statement> global_statements() {
    return statements;
}

}  // namespace tern::config
