#include "router/cli/output.h"

#include "router/cli/output_json.h"
#include "router/cli/output_text.h"
#include "router/cli/reply.h"

#include <array>
#include <string>

#include <catch2/catch.hpp>

namespace tern::cli {
namespace {

constexpr std::size_t no_bound = 1 << 20;

std::string layout(std::string_view text, std::initializer_list<Field> fields) {
    std::string out;
    format_layout(out, text, std::span<const Field>(fields.begin(), fields.size()));
    return out;
}

/// What a show function looks like: the same calls for both backends.
void show_two_routes(Output& out) {
    out.text(ReplyCode::route, "Table master4:");
    for (const int metric : {100, 200}) {
        out.begin("route");
        out.line(ReplyCode::route, "{net:<20} unicast ({preference})",
                 {{"net", "10.0.0.0/8"}, {"preference", metric}, {"primary", metric == 100}});
        out.begin("next_hops");
        out.line(ReplyCode::route, "\tvia {gateway} on {interface}",
                 {{"gateway", "192.0.2.1"}, {"interface", "eth0"}});
        out.end();
        out.begin("next_hops");
        out.line(ReplyCode::route, "\tdev {interface}", {{"interface", "eth1"}});
        out.end();
        out.begin_object("attributes");
        out.named_value(ReplyCode::route_attributes, "bgp_path", "1 \"2\"");
        out.end();
        out.end();
    }
    out.done();
}

std::string joined_json(std::string_view reply) {
    std::string json;
    while (!reply.empty()) {
        const std::string_view line = reply.substr(0, reply.find('\n'));
        reply.remove_prefix(line.size() + 1);
        if (line.starts_with("1100-")) {
            json += line.substr(5);
        } else if (line.starts_with(" ")) {
            json += line.substr(1);
        }
    }
    return json;
}

}  // namespace

TEST_CASE("layouts pad as printf does") {
    CHECK(layout("{a:<5}|", {{"a", "ab"}}) == "ab   |");
    CHECK(layout("{a:>5}|", {{"a", "ab"}}) == "   ab|");
    CHECK(layout("{a:5}|{b:5}", {{"a", "ab"}, {"b", 7}}) == "ab   |    7");
    CHECK(layout("{a:04}", {{"a", 7U}}) == "0007");
    CHECK(layout("{a:08x} {a:x}", {{"a", 0xbeefU}}) == "0000beef beef");
    CHECK(layout("{a:>9.3} s", {{"a", 1.5}}) == "    1.500 s");
    CHECK(layout("{a} {b}", {{"a", -3}, {"b", true}}) == "-3 true");
    CHECK(layout("{{{a}}}", {{"a", "x"}}) == "{x}");
    CHECK(layout("{a:<2}", {{"a", "longer"}}) == "longer");
}

TEST_CASE("the code is repeated only when it changes and the last line carries one") {
    ReplyBuffer buffer;
    TextOutput out(buffer, no_bound);
    show_two_routes(out);
    CHECK(buffer.pending() ==
          "1007-Table master4:\n"
          " 10.0.0.0/8           unicast (100)\n"
          " \tvia 192.0.2.1 on eth0\n"
          " \tdev eth1\n"
          "1012-\tbgp_path: 1 \"2\"\n"
          "1007-10.0.0.0/8           unicast (200)\n"
          " \tvia 192.0.2.1 on eth0\n"
          " \tdev eth1\n"
          "1012-\tbgp_path: 1 \"2\"\n"
          "0000 \n");
}

TEST_CASE("an empty line in a reply is a blank") {
    ReplyBuffer buffer;
    TextOutput out(buffer, no_bound);
    out.text(ReplyCode::protocol_details, "a");
    out.text(ReplyCode::protocol_details, "");
    out.finish(ReplyCode::threads, "All loops in group worker are assigned.");
    CHECK(buffer.pending() == "1006-a\n \n1027 All loops in group worker are assigned.\n");
}

TEST_CASE("a line over the limit of the protocol is replaced, a named value wrapped") {
    ReplyBuffer buffer;
    TextOutput out(buffer, no_bound);
    out.text(ReplyCode::route, std::string(506, 'x'));
    CHECK(buffer.pending() == "1007-" + std::string(506, 'x') + "\n");
    buffer.clear();
    out.text(ReplyCode::route, std::string(511, 'x'));
    CHECK(buffer.pending() == "8000-<line overflow>\n");
    buffer.clear();

    std::string path;
    for (int i = 0; i < 300; ++i)
        path += std::to_string(64512 + i) + ' ';
    path.pop_back();
    out.named_value(ReplyCode::route_attributes, "bgp_path", path);
    std::string_view reply = buffer.pending();
    std::string again;
    while (!reply.empty()) {
        const std::string_view line = reply.substr(0, reply.find('\n'));
        CHECK(line.size() <= reply_line_max);
        again += again.empty() ? line.substr(5) : " " + std::string(line.substr(3));
        reply.remove_prefix(line.size() + 1);
    }
    CHECK(again == "\tbgp_path: " + path);
}

TEST_CASE("a value without blanks is cut, not lost") {
    ReplyBuffer buffer;
    TextOutput out(buffer, no_bound);
    out.named_value(ReplyCode::route_attributes, "x", std::string(2000, 'y'));
    std::size_t count = 0;
    for (const char byte : buffer.pending())
        count += byte == 'y' ? 1 : 0;
    CHECK(count == 2000);
}

TEST_CASE("the same calls make a JSON array of objects") {
    ReplyBuffer buffer;
    JsonOutput out(buffer, no_bound);
    show_two_routes(out);
    const std::string one =
        "\"next_hops\":[{\"gateway\":\"192.0.2.1\",\"interface\":\"eth0\"},"
        "{\"interface\":\"eth1\"}],\"attributes\":{\"bgp_path\":\"1 \\\"2\\\"\"}}";
    CHECK(joined_json(buffer.pending()) ==
          "[{\"record\":\"route\",\"net\":\"10.0.0.0/8\",\"preference\":100,\"primary\":true," +
              one +
              ",{\"record\":\"route\",\"net\":\"10.0.0.0/8\",\"preference\":200,"
              "\"primary\":false," +
              one + "]");
    CHECK(buffer.pending().ends_with("\n0000 \n"));
}

TEST_CASE("JSON shows results and errors with their code") {
    ReplyBuffer buffer;
    JsonOutput out(buffer, no_bound);
    out.line(ReplyCode::disabled, "{name}: disabled", {{"name", "p\x01"}});
    out.finish(ReplyCode::route_not_found, "Network not found");
    CHECK(joined_json(buffer.pending()) ==
          "[{\"code\":9,\"message\":\"p\\u0001: disabled\",\"name\":\"p\\u0001\"},"
          "{\"code\":8001,\"message\":\"Network not found\"}]");
    CHECK(buffer.pending().ends_with("\n8001 Network not found\n"));
}

TEST_CASE("long JSON keeps the line limit and is the same when joined") {
    ReplyBuffer buffer;
    JsonOutput out(buffer, no_bound);
    const std::string value = std::string(700, 'a') + "  " + std::string(700, 'b');
    out.begin("x");
    out.named_value(ReplyCode::route_attributes, "v", value);
    out.end();
    out.done();
    std::string_view reply = buffer.pending();
    CHECK(joined_json(reply) == "[{\"record\":\"x\",\"v\":\"" + value + "\"}]");
    while (!reply.empty()) {
        const std::string_view line = reply.substr(0, reply.find('\n'));
        CHECK(line.size() <= reply_line_max);
        reply.remove_prefix(line.size() + 1);
    }
}

TEST_CASE("an empty reply is an empty array") {
    ReplyBuffer buffer;
    JsonOutput out(buffer, no_bound);
    out.done();
    CHECK(buffer.pending() == "1100-[]\n0000 \n");
}

TEST_CASE("a notice waits for the end of the reply in progress") {
    ReplyBuffer buffer;
    buffer.notice("first");
    buffer.line(ReplyCode::route, "a");
    buffer.notice("second");
    buffer.last(ReplyCode::ok, "");
    CHECK(buffer.pending() == "+first\n1007-a\n0000 \n+second\n");
}

TEST_CASE("sent bytes leave and the rest stays in order") {
    ReplyBuffer buffer;
    std::string expected;
    std::string got;
    for (int i = 0; i < 5000; ++i) {
        buffer.line(ReplyCode::route, std::to_string(i));
        expected += (i == 0 ? "1007-" : " ") + std::to_string(i) + "\n";
        const std::size_t some = std::min<std::size_t>(buffer.size(), 7);
        got += buffer.pending().substr(0, some);
        buffer.sent(some);
    }
    got += buffer.pending();
    CHECK(got == expected);
}

}  // namespace tern::cli
