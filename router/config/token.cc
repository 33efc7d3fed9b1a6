#include "router/config/token.h"

#include <array>
#include <utility>

namespace tern::config {

namespace {

struct Name {
    TokenKind kind;
    std::string_view text;
    std::string_view shown;
};

constexpr std::array names = {
    Name{TokenKind::end, "", "END"},
    Name{TokenKind::invalid, "", "invalid token"},
    Name{TokenKind::word, "", "CF_SYM_UNDEFINED"},
    Name{TokenKind::number, "", "NUM"},
    Name{TokenKind::ip4, "", "IP4"},
    Name{TokenKind::ip6, "", "IP6"},
    Name{TokenKind::mac, "", "MAC_ADDRESS"},
    Name{TokenKind::route_distinguisher, "", "VPN_RD"},
    Name{TokenKind::bytes, "", "BYTETEXT"},
    Name{TokenKind::string, "", "TEXT"},
    Name{TokenKind::semicolon, ";", "';'"},
    Name{TokenKind::comma, ",", "','"},
    Name{TokenKind::dot, ".", "'.'"},
    Name{TokenKind::range, "..", "DDOT"},
    Name{TokenKind::colon, ":", "':'"},
    Name{TokenKind::percent, "%", "'%'"},
    Name{TokenKind::slash, "/", "'/'"},
    Name{TokenKind::left_brace, "{", "'{'"},
    Name{TokenKind::right_brace, "}", "'}'"},
    Name{TokenKind::left_paren, "(", "'('"},
    Name{TokenKind::right_paren, ")", "')'"},
    Name{TokenKind::left_bracket, "[", "'['"},
    Name{TokenKind::right_bracket, "]", "']'"},
    Name{TokenKind::mask_begin, "[=", "PO"},
    Name{TokenKind::mask_end, "=]", "PC"},
    Name{TokenKind::assign, "=", "'='"},
    Name{TokenKind::not_equal, "!=", "NEQ"},
    Name{TokenKind::less, "<", "'<'"},
    Name{TokenKind::less_equal, "<=", "LEQ"},
    Name{TokenKind::greater, ">", "'>'"},
    Name{TokenKind::greater_equal, ">=", "GEQ"},
    Name{TokenKind::match, "~", "'~'"},
    Name{TokenKind::not_match, "!~", "NMA"},
    Name{TokenKind::not_, "!", "'!'"},
    Name{TokenKind::and_, "&&", "AND"},
    Name{TokenKind::or_, "||", "OR"},
    Name{TokenKind::bit_and, "&", "'&'"},
    Name{TokenKind::bit_or, "|", "'|'"},
    Name{TokenKind::plus, "+", "'+'"},
    Name{TokenKind::concat, "++", "CONCAT"},
    Name{TokenKind::minus, "-", "'-'"},
    Name{TokenKind::star, "*", "'*'"},
    Name{TokenKind::arrow, "->", "IMP"},
    Name{TokenKind::question, "?", "'?'"},
    Name{TokenKind::empty_path, "+empty+", "EMPTY"},
    Name{TokenKind::empty_community, "-empty-", "EMPTY"},
    Name{TokenKind::empty_extended, "--empty--", "EMPTY"},
    Name{TokenKind::empty_large, "---empty---", "EMPTY"},
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (static_cast<std::size_t>(names[i].kind) != i) return false;
    }
    return names.size() == static_cast<std::size_t>(TokenKind::empty_large) + 1;
}

static_assert(in_order());

}  // namespace

std::string_view punctuation_text(TokenKind kind) {
    return names[static_cast<std::size_t>(kind)].text;
}

std::string_view token_name(TokenKind kind) {
    return names[static_cast<std::size_t>(kind)].shown;
}

}  // namespace tern::config
