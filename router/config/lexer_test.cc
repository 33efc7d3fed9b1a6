#include "router/config/lexer.h"

#include <catch2/catch.hpp>

namespace tern::config {

namespace {

/// `kind:text` of all tokens, separated by blanks.
std::string scan(std::string_view text) {
    MemoryReader reader;
    SourceSet sources(reader);
    Lexer lexer(sources, sources.add_text("t", std::string(text)), Lexer::Mode::file);
    std::string out;
    for (;;) {
        const Token token = lexer.next();
        if (token.kind == TokenKind::end) return out;
        if (!out.empty()) out += ' ';
        if (token.kind == TokenKind::invalid) return out + "!" + std::string(token.text);
        const std::string_view punctuation = punctuation_text(token.kind);
        out += punctuation.empty()
                   ? std::string(token_name(token.kind)) + ":" + std::string(token.text)
                   : std::string(punctuation);
    }
}

std::string scan_files(MemoryReader& reader) {
    SourceSet sources(reader);
    Lexer lexer(sources, *sources.open("/a/main"), Lexer::Mode::file);
    std::string out;
    for (;;) {
        const Token token = lexer.next();
        if (token.kind == TokenKind::end) return out;
        out += std::string(token.text.empty() ? punctuation_text(token.kind) : token.text) + " ";
        if (token.kind == TokenKind::invalid) return out;
    }
}

}  // namespace

TEST_CASE("words, numbers and strings are told apart") {
    CHECK(scan("bgp_path 'a.b:c-d' 0x1F 010 \"x y\"") ==
          "CF_SYM_UNDEFINED:bgp_path CF_SYM_UNDEFINED:a.b:c-d NUM:0x1F NUM:010 TEXT:x y");
}

TEST_CASE("addresses of each kind win by the longest match") {
    CHECK(scan("10.0.0.1") == "IP4:10.0.0.1");
    CHECK(scan("10.0.0.0/8") == "IP4:10.0.0.0 / NUM:8");
    CHECK(scan("::/0") == "IP6::: / NUM:0");
    CHECK(scan("fe80::1%eth0") == "IP6:fe80::1 % CF_SYM_UNDEFINED:eth0");
    CHECK(scan("::ffff:1.2.3.4") == "IP6:::ffff:1.2.3.4");
    CHECK(scan("aa:bb:cc:dd:ee:ff") == "MAC_ADDRESS:aa:bb:cc:dd:ee:ff");
    CHECK(scan("65000:1 1.2.3.4:5 0:1:2 1:1.2.3.4:5") ==
          "VPN_RD:65000:1 VPN_RD:1.2.3.4:5 VPN_RD:0:1:2 VPN_RD:1:1.2.3.4:5");
    CHECK(scan("hex: hex:01:02 00112233445566778899") ==
          "BYTETEXT:hex: BYTETEXT:hex:01:02 BYTETEXT:00112233445566778899");
}

TEST_CASE("words of hexadecimal letters stay words") {
    CHECK(scan("add dead: face fade_") ==
          "CF_SYM_UNDEFINED:add CF_SYM_UNDEFINED:dead : CF_SYM_UNDEFINED:face "
          "CF_SYM_UNDEFINED:fade_");
}

TEST_CASE("ranges and operators split as in the language") {
    CHECK(scan("1..5 a!~b ++ -> [= * =]") ==
          "NUM:1 .. NUM:5 CF_SYM_UNDEFINED:a !~ CF_SYM_UNDEFINED:b ++ -> [= * =]");
    CHECK(scan("+empty+ -empty- --empty-- ---empty---") == "+empty+ -empty- --empty-- ---empty---");
}

TEST_CASE("comments vanish and may not nest") {
    CHECK(scan("a # b\n/* c\n */ d") == "CF_SYM_UNDEFINED:a CF_SYM_UNDEFINED:d");
    CHECK(scan("/* /* */") == "!Comment nesting not supported");
    CHECK(scan("/* x") == "!Unterminated comment");
}

TEST_CASE("wrong text is complained about where it stands") {
    CHECK(scan("a @") == "CF_SYM_UNDEFINED:a !Unknown character");
    CHECK(scan("a\r\n") == "CF_SYM_UNDEFINED:a !Unknown character");
    CHECK(scan("4294967296") == "!Number out of range");
    CHECK(scan("\"abc\n\"") == "!Unterminated string");
    CHECK(scan("1:2:3:4") == "!Invalid IPv6 address 1:2:3:4");
    CHECK(scan(std::string(65, 'x')) == "!Symbol too long");
}

TEST_CASE("an include at the start of a line is replaced by its file") {
    MemoryReader reader;
    reader.add("/a/main", "one\n  include \"sub/x\"; two\ninclude \"no*\";\nthree");
    reader.add("/a/sub/x", "include \"y\";\nfour");
    reader.add("/a/sub/y", "five");
    CHECK(scan_files(reader) == "one five four two three ");
}

TEST_CASE("a pattern includes its files in order of name") {
    MemoryReader reader;
    reader.add("/a/main", "include \"d/*.conf\";\nend_");
    reader.add("/a/d/2.conf", "two");
    reader.add("/a/d/1.conf", "one");
    reader.add("/a/d/3.conf", "include \"../z\"; three");
    reader.add("/a/d/../z", "zed");
    CHECK(scan_files(reader) == "one two zed three end_ ");
}

TEST_CASE("missing and endless includes are errors") {
    MemoryReader reader;
    reader.add("/a/main", "include \"gone\";");
    CHECK(scan_files(reader) == "Unable to open included file /a/gone: No such file or directory ");
    reader.add("/a/main", "include \"main\";");
    CHECK(scan_files(reader) == "Max include depth reached ");
}

TEST_CASE("an include in the middle of a line is a word") {
    CHECK(scan("x include \"y\";") == "CF_SYM_UNDEFINED:x CF_SYM_UNDEFINED:include TEXT:y ;");
}

TEST_CASE("positions count lines and columns from one") {
    MemoryReader reader;
    SourceSet sources(reader);
    Lexer lexer(sources, sources.add_text("t", "a\n\tbb ;"), Lexer::Mode::file);
    CHECK(lexer.next().position == Position{0, 1, 1});
    CHECK(lexer.next().position == Position{0, 2, 2});
    CHECK(lexer.next().position == Position{0, 2, 5});
}

}  // namespace tern::config
