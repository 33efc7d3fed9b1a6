#include "router/config/parse_config.h"

#include "router/config/test_protocol.h"

#include <catch2/catch.hpp>

namespace tern::config {

namespace {

using testing::Bench;
using testing::TinyChannel;
using testing::TinyProtocol;

const std::string file = "/etc/bird.conf:";
const std::string tail = " protocol tube { table master4; }";

const TinyProtocol& tiny(const Config& config, std::string_view name) {
    const ProtocolConfig* found = config.find_protocol(name);
    REQUIRE(found != nullptr);
    return static_cast<const TinyProtocol&>(*found);
}

}  // namespace

TEST_CASE("global statements become typed fields") {
    Bench bench;
    const ParsedConfig parsed = bench.parse(
        "router id 1.2.3.4; hostname \"h\"; graceful restart wait 100;\n"
        "mrtdump protocols off; debug protocols all;\n"
        "debug channels { states, routes }; debug tables off; debug commands 2;\n"
        "debug show route off; debug latency off;\n"
        "watchdog warning 3 s; watchdog timeout 1500 ms; filter stacks 256 300;\n"
        "timeformat route iso long us; timeformat protocol \"%T.%3f\" 72000 \"%F\";\n"
        "timeformat base iso short; cli \"c1\" { restrict; v2 attributes; }; cli \"c2\";\n" +
        tail);
    REQUIRE(parsed);
    const Config& c = **parsed;
    CHECK(c.router_id == RouterId(0x01020304));
    CHECK(c.hostname == "h");
    CHECK(c.graceful_restart_wait == loops::seconds(100));
    CHECK(c.debug.protocols == trace_all);
    CHECK(c.debug.channels == 3);
    CHECK(c.debug.commands == 2);
    CHECK(c.watchdog.warning == loops::seconds(3));
    CHECK(c.watchdog.timeout == loops::seconds(2));
    CHECK(c.filter_values == 256);
    CHECK(c.filter_calls == 300);
    CHECK(c.time_formats.route == iso_long(SubSecond::microseconds));
    CHECK(c.time_formats.protocol.older == "%F");
    CHECK(c.time_formats.base == iso_short(SubSecond::none));
    REQUIRE(c.cli_sockets.size() == 2);
    CHECK(c.cli_sockets[0].restricted);
    CHECK(c.cli_sockets[0].v2_attributes);
    CHECK_FALSE(c.cli_sockets[1].restricted);
}

TEST_CASE("the limits of kept memory that the reference gives are those in force") {
    const MemoryConfig memory;
    const Rows rows = memory_rows();
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].default_text == std::to_string(memory.keep_pages_min));
    CHECK(rows[1].default_text == std::to_string(memory.keep_pages_max));
    CHECK(rows[2].default_text == std::to_string(memory.cleanup_pages_bulk));
}

TEST_CASE("limits of kept memory are read and must fit together") {
    Bench bench;
    const ParsedConfig parsed = bench.parse(
        "memory { keep pages min 1000; keep pages max 4096; cleanup pages bulk 2048; }" + tail);
    REQUIRE(parsed);
    CHECK((*parsed)->memory.keep_pages_min == 1000);
    CHECK((*parsed)->memory.keep_pages_max == 4096);
    CHECK((*parsed)->memory.cleanup_pages_bulk == 2048);
    const ParsedConfig wrong = bench.parse("memory { keep pages min 1024; }" + tail);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().summary() ==
          file + "1:8 Memory: the fewest pages kept must be less than a quarter of the most");
}

TEST_CASE("every kind of log target is read") {
    Bench bench;
    const ParsedConfig parsed = bench.parse(
        "log \"x1\" 20000 \"x2\" all; log fixed \"x3\" 65536 { debug, bug };"
        "log syslog name \"b\" all; log stderr { info };"
        "log udp 127.0.0.1 port 515 all; log udp \"localhost\" { info };" +
        tail);
    REQUIRE(parsed);
    const auto& logs = (*parsed)->logs;
    REQUIRE(logs.size() == 6);
    CHECK(logs[0].limit == 20000);
    CHECK(logs[0].backup == "x2");
    CHECK(logs[0].classes == all_severities);
    CHECK(logs[1].kind == LogKind::fixed);
    CHECK(logs[1].classes == (mask_of(Severity::debug) | mask_of(Severity::bug)));
    CHECK(logs[2].name == "b");
    CHECK(logs[3].kind == LogKind::stderr_);
    CHECK(logs[4].port == 515);
    CHECK(logs[5].host == "localhost");
    CHECK(bench.verdict("log \"x\" 100 \"y\" all;" + tail) ==
          file + "1:9 Log file size limit too low, must be at least 16384.");
}

TEST_CASE("tables have types, options and defaults") {
    Bench bench;
    const ParsedConfig parsed = bench.parse(
        "ipv4 table master4 sorted { trie on; gc threshold 100; gc period 5 s;"
        " export settle time 1 ms 2 ms;"
        " route refresh export settle time 1 ms 2 s; debug off; }\n"
        "ipv4 table t4; ipv6 sadr table ts; roa4 table r4; neighbor table nt;" +
        tail);
    REQUIRE(parsed);
    const Config& c = **parsed;
    const TableConfig* master = c.find_table("master4");
    CHECK(master->sorted);
    CHECK(master->trie);
    CHECK(master->gc_period == loops::seconds(5));
    CHECK(master->refresh_settle.maximum == loops::seconds(2));
    CHECK(c.find_table("ts")->type == net::NetType::ip6_sadr);
    CHECK_FALSE(c.find_table("master6")->used);
    CHECK(c.default_table(net::NetType::ip4) == master);
    CHECK(c.default_table(net::NetType::roa4)->name == "r4");
    CHECK(c.default_table(net::NetType::roa6) == nullptr);
}

TEST_CASE("table mistakes are named") {
    Bench bench;
    CHECK(bench.verdict("ipv4 table a; ipv4 table a;") ==
          file + "1:26 Duplicate configuration of table a");
    CHECK(bench.verdict("eth table e { trie; };") ==
          file + "1:19 Trie option not supported for eth table");
    CHECK(bench.verdict("ipv4 table a { min settle time 1 s; }") ==
          file + "1:16 syntax error, unexpected MIN");
}

TEST_CASE("protocol options of each kind are read") {
    Bench bench;
    const ParsedConfig parsed = bench.parse(
        "define h = 90;\n"
        "protocol tiny one { hold time h; hold pause time 20 ms; passive; mode very fast;\n"
        " note \"n\"; peer 10.0.0.1; cluster id 1.2.3.4; interface \"eth*\", -\"lo\";\n"
        " helper table master6; description \"d\"; disabled; restart time 3 s;\n"
        " debug { states, packets }; mrtdump off; router id 9; hostname \"x\"; vrf \"red\";\n"
        " thread group express; ipv4 { cost 5; next hop self; }; ipv6; ;}");
    REQUIRE(parsed);
    const TinyProtocol& p = tiny(**parsed, "one");
    CHECK(p.hold_time == 90);
    CHECK(p.pause == loops::milliseconds(20));
    CHECK(p.passive);
    CHECK(p.mode == 3);
    CHECK(p.note == "n");
    CHECK(p.peer.to_string() == "10.0.0.1");
    CHECK(p.cluster == RouterId(0x01020304));
    REQUIRE(p.pattern.clauses.size() == 2);
    CHECK(p.pattern.clauses[1].negative);
    CHECK(p.helper_table->name == "master6");
    CHECK(p.description == "d");
    CHECK(p.disabled);
    CHECK(p.restart_time == loops::seconds(3));
    CHECK(p.debug == 33);
    CHECK(p.router_id == RouterId(9));
    CHECK(p.vrf == "red");
    CHECK(p.thread_group->name == "express");
    REQUIRE(p.channels.size() == 2);
    CHECK(static_cast<const TinyChannel&>(*p.channels[0]).cost == 5);
    CHECK(p.channels[0]->table->name == "master4");
    CHECK(p.channels[1]->table->used);
}

TEST_CASE("channel options are read and have defaults") {
    Bench bench;
    const ParsedConfig parsed = bench.parse(
        "ipv4 table t4; filter f { accept; }\n"
        "protocol tiny { peer 10.0.0.1; ipv4 { table t4; import filter f;"
        " export in 10.0.0.0/8 where net; preference 120; import keep filtered;"
        " receive limit 5 action block; import limit 10; export limit off;"
        " rpki reload off; debug { routes }; }; ipv6; }");
    REQUIRE(parsed);
    const TinyProtocol& p = tiny(**parsed, "tiny1");
    const ChannelConfig& a = *p.find_channel("ipv4");
    CHECK(a.table->name == "t4");
    CHECK(a.export_in->to_string() == "10.0.0.0/8");
    CHECK(a.import_set);
    CHECK(a.preference == 120);
    CHECK(a.keep_filtered);
    CHECK(a.receive_limit == Limit{5, LimitAction::block});
    CHECK(a.import_limit == Limit{10, LimitAction::disable});
    CHECK_FALSE(a.export_limit.value);
    CHECK_FALSE(a.rpki_reload);
    const ChannelConfig& b = *p.find_channel("ipv6");
    CHECK(b.import_filter->is_accept_all());
    CHECK(b.export_filter->is_reject_all());
    CHECK_FALSE(b.import_set);
}

TEST_CASE("a protocol takes over what its template says, channel by channel") {
    Bench bench;
    const ParsedConfig parsed = bench.parse(
        "template tiny base { hold time 30; passive; ipv4 { cost 7; import none; }; }\n"
        "protocol tiny a from base { peer 10.0.0.1; hold time 40; ipv4 { next hop self; }; }\n"
        "protocol tiny b from a { ipv6; }\n");
    REQUIRE(parsed);
    const TinyProtocol& a = tiny(**parsed, "a");
    CHECK(a.hold_time == 40);
    CHECK(a.passive);
    CHECK(a.from == "base");
    const auto& channel = static_cast<const TinyChannel&>(*a.find_channel("ipv4"));
    CHECK(channel.cost == 7);
    CHECK(channel.self);
    CHECK(channel.import_filter->is_reject_all());
    const TinyProtocol& b = tiny(**parsed, "b");
    CHECK(b.channels.size() == 2);
    CHECK(b.peer == a.peer);
    CHECK((*parsed)->protocols.size() == 2);
}

TEST_CASE("protocol mistakes are named with their place") {
    Bench bench;
    const auto verdict = [&bench](const std::string& text) { return bench.verdict(text); };
    CHECK(verdict("protocol tiny { }") == file + "1:17 Peer must be configured");
    CHECK(verdict("protocol tiny { hold; }") ==
          file + "1:21 syntax error, unexpected ';', expecting TIME or PAUSE");
    CHECK(verdict("protocol tiny { hold time 2; }") ==
          file + "1:27 Hold time must be in range 3-65535 or zero");
    CHECK(verdict("protocol tiny { passive }") ==
          file + "1:25 syntax error, unexpected '}', expecting ';'");
    CHECK(verdict("protocol tiny { warp drive; }") ==
          file + "1:22 Option 'warp drive' is not available in this build");
    CHECK(verdict("protocol tiny { ipv4; ipv4; }") == file + "1:23 Multiple ipv4 channels");
    CHECK(verdict("protocol tiny { eth; }") == file + "1:17 Unsupported channel type");
    CHECK(verdict("protocol tiny { vpn4; }") ==
          file + "1:21 syntax error, unexpected ';', expecting MPLS");
    CHECK(verdict("protocol tiny { peer 10.0.0.1; vpn4 mpls; }") ==
          file + "1:32 Routing table not specified");
    CHECK(verdict("protocol tiny { ipv4 { table master6; }; }") ==
          file + "1:30 Incompatible table type");
    CHECK(verdict("protocol tiny { ipv4 { export in ::/0 all; }; }") ==
          file + "1:34 Incompatible export prefilter type");
    CHECK(verdict("protocol tiny { ipv4 { export in 10.0.0.1/8 all; }; }") ==
          file + "1:34 Invalid IPv4 prefix 10.0.0.1/8, maybe you wanted 10.0.0.0/8");
    CHECK(verdict("protocol tiny { interface 10.0.0.0/8; }") ==
          file + "1:27 Interface name/mask expected, not IP prefix");
    CHECK(verdict("protocol ospf v2 { }") ==
          file + "1:10 Protocol type 'ospf v2' is not available in this build");
    CHECK(verdict("protocol tiny from nowhere { }") ==
          file + "1:20 syntax error, unexpected CF_SYM_UNDEFINED, expecting CF_SYM_KNOWN");
    CHECK(verdict("template tiny t { } protocol tube from t { }") ==
          file + "1:40 Can't copy configuration from a different protocol type");
    CHECK(verdict("protocol tube a { table master4; } protocol tube b { }") ==
          file + "1:36 Only one tube");
    CHECK(verdict("protocol tiny a { peer 10.0.0.1; } protocol tiny a { }") ==
          file + "1:50 Symbol 'a' already defined");
    CHECK(verdict("protocol tiny { import all; }") ==
          file + "1:17 syntax error, unexpected IMPORT");
}

TEST_CASE("a pipe-like protocol takes channel options in its own block") {
    Bench bench;
    const ParsedConfig parsed = bench.parse(
        "ipv6 table t; protocol tube { table t; import where x; import limit 3; debug all; }");
    REQUIRE(parsed);
    const ProtocolConfig& p = *(*parsed)->protocols.front();
    REQUIRE(p.channels.size() == 1);
    CHECK(p.channels[0]->table->name == "t");
    CHECK(p.channels[0]->type == net::NetType::ip6);
    CHECK(p.channels[0]->import_limit.value == 3);
    CHECK(p.channels[0]->export_filter->is_accept_all());
    CHECK(p.debug == trace_all);
}

TEST_CASE("thread groups come first and have one default") {
    Bench bench;
    const ParsedConfig parsed = bench.parse(
        "thread group worker { threads 3; default yes; max time 200 ms; min time 5 ms; };"
        "thread group express { threads 1; };" +
        tail);
    REQUIRE(parsed);
    CHECK((*parsed)->thread_groups.size() == 2);
    CHECK((*parsed)->default_thread_group()->threads == 3);
    CHECK((*parsed)->thread_groups[1]->express);
    CHECK_FALSE((*parsed)->thread_groups[1]->time_max);
    CHECK(bench.verdict("ipv4 table t; thread group w { default; }") ==
          file + "1:22 Put `threads` block before any protocol or table definition.");
    CHECK(bench.verdict("thread group w { threads 0; };") ==
          file + "1:26 Number of threads must be at least one.");
    CHECK(bench.verdict("thread group a { default; }; thread group b { default; };") ==
          file + "1:56 Too many default thread groups, already have a");
    CHECK(bench.verdict("thread group a { };" + tail)
              .ends_with("No default thread group configured"));
    const ParsedConfig simple = bench.parse("threads 4;" + tail);
    REQUIRE(simple);
    CHECK((*simple)->default_thread_group()->threads == 4);
}

TEST_CASE("net types that a router does not have are refused where they stand") {
    SyntaxRegistry registry(testing::make_tiny_language, nullptr);
    registry.add(testing::tiny_syntax);
    const auto verdict = [&registry](std::string text) {
        MemoryReader reader;
        reader.add("/etc/bird.conf", std::move(text));
        const ParsedConfig parsed = parse_config(reader, "/etc/bird.conf", registry);
        return parsed ? "ok" : parsed.error().summary();
    };
    CHECK(verdict("\n  roa4 table r; " + tail) ==
          file + "2:3 Table type 'roa4' is not available in this build");
    CHECK(verdict("ipv6 sadr table r; " + tail) ==
          file + "1:1 Table type 'ipv6 sadr' is not available in this build");
    CHECK(verdict("mpls domain d;" + tail) ==
          file + "1:6 MPLS domains are not available in this build");
    CHECK(verdict("protocol tiny { eth; }") ==
          file + "1:17 Channel type 'eth' is not available in this build");
}

TEST_CASE("MPLS domains have label ranges") {
    Bench bench;
    const ParsedConfig parsed = bench.parse(
        "mpls domain md { label range static { start 16; length 100; };"
        " label range myr { start 50; length 100; }; }" +
        tail);
    REQUIRE(parsed);
    CHECK((*parsed)->mpls_domains[0]->ranges.size() == 3);
    REQUIRE((*parsed)->warnings.size() == 1);
    CHECK((*parsed)->warnings[0].text == "MPLS label ranges static and myr intersect");
}

TEST_CASE("errors in an included file name that file") {
    Bench bench;
    bench.reader().add("/etc/part.conf", "\nrouter id foo;\n");
    CHECK(bench.verdict("include \"part.conf\";\n" + tail) ==
          "/etc/part.conf:2:11 syntax error, unexpected CF_SYM_UNDEFINED, expecting NUM or IP4 "
          "or CF_SYM_KNOWN");
}

TEST_CASE("a configuration needs a protocol") {
    Bench bench;
    CHECK(bench.verdict("").ends_with("No protocol is specified in the config file"));
    CHECK(bench.verdict("foo;") == file + "1:1 syntax error, unexpected CF_SYM_UNDEFINED");
    CHECK(bench.verdict("router id 0;") == file + "1:11 Router ID must be nonzero");
    CHECK(bench.verdict("router id 1.2.3.4") ==
          file + "1:18 syntax error, unexpected END, expecting ';'");
}

TEST_CASE("an unreadable main file is an error without a place") {
    Bench bench;
    const ParsedConfig parsed = parse_config(bench.reader(), "/none", bench.registry());
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().summary() == "/none: No such file or directory");
}

TEST_CASE("names that are keywords are allowed with a warning") {
    Bench bench;
    const ParsedConfig parsed = bench.parse("protocol tube limit { table master4; }");
    REQUIRE(parsed);
    REQUIRE((*parsed)->warnings.size() == 1);
    CHECK((*parsed)->warnings[0].text == "Symbol 'limit' overrides existing keyword");
}

TEST_CASE("what this build cannot obey is refused where it stands, unless it is off") {
    Bench bench;
    const auto refused = [&](const std::string& text, const std::string& option) {
        INFO(text);
        const std::string complaint = bench.verdict(text + tail);
        CHECK(complaint.find("Option '" + option + "' is not available in this build") !=
              std::string::npos);
        CHECK(complaint.starts_with(file + "1:"));
    };
    refused("mrtdump \"m\";", "mrtdump");
    refused("mrtdump protocols { states };", "mrtdump protocols");
    refused("debug tables all;", "debug tables");
    refused("debug show route all;", "debug show route");
    refused("debug latency { ping };", "debug latency");
    refused("debug latency limit 1 s;", "debug latency limit");
    refused("ipv4 table t { cork threshold 100 200; }", "cork threshold");
    refused("ipv4 table t { digest settle time 1 s 2 s; }", "digest settle time");
    refused("ipv4 table t { thread group worker; }", "thread group");
    refused("ipv4 table t { debug all; }", "debug");
    refused("protocol tiny { mrtdump all; }", "mrtdump");
    CHECK(bench.verdict("debug latency off; ipv4 table t { debug off; }" + tail) == "ok");
}

TEST_CASE("constants of the system are known, and may be hidden") {
    Bench bench;
    bench.reader().add("/etc/iproute2/rt_protos",
                       "#\n186\tbgp\n0xc0 eigrp # comment\n300 toolarge\nno number\n");
    bench.reader().add("/etc/iproute2/rt_tables", "254 main\n1000 my-table\n1001 my-table\n");
    const ParsedConfig parsed = bench.parse("define ipt_main = 3;" + tail);
    REQUIRE(parsed);
    const auto value = [&](std::string_view name) -> std::uint32_t {
        const Symbol* symbol = (*parsed)->scope().find(name);
        return symbol == nullptr ? 0 : symbol->as<const attr::Value>()->word();
    };
    CHECK(value("ipp_bgp") == 186);
    CHECK(value("ipp_eigrp") == 0xc0);
    CHECK(value("ipp_toolarge") == 0);
    CHECK(value("ipt_main") == 3);
    CHECK(value("ipt_my_table") == 1000);
}

}  // namespace tern::config
