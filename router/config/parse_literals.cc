#include "router/config/parse_literals.h"

#include "router/net/mac_address.h"
#include "router/net/prefix_text.h"
#include "router/net/route_distinguisher.h"

#include <cctype>

#include <fmt/format.h>

namespace tern::config {

using attr::Value;
using attr::ValueType;
using filter::EcKind;
using filter::Expression;
using filter::ExpressionKind;
using filter::MaskItem;
using filter::SetItem;

namespace {

/// Net types of the language that this build's prefix values do not hold.
constexpr std::string_view other_networks[] = {"eth",      "mpls",  "aspa", "evpn",
                                               "neighbor", "flow4", "flow6"};

Expression* nothing(FilterGrammar& g, Position position) {
    return g.literal(Value(), position);
}

Result<net::Prefix> mapped_prefix(const net::IpAddress& address, std::uint32_t length) {
    if (length > 128) return fail(fmt::format("Invalid prefix length {}", length));
    const net::Prefix prefix = net::Prefix::ip6(address.high(), address.low(), length);
    if (prefix.address() == address) return prefix;
    return fail(fmt::format("Invalid IPv6 prefix ::ffff:{}/{}, host bits must be zero",
                            address.to_string(), length));
}

Expression* address_or_prefix(FilterGrammar& g) {
    Parser& p = g.parser();
    const Token token = p.take();
    net::IpAddress address = net::IpAddress::v4(token.number);
    if (token.kind == TokenKind::ip6) {
        const Result<net::IpAddress> parsed = net::IpAddress::parse_v6(token.text);
        if (!parsed) {
            p.fail(token.position, parsed.error().text);
            return nothing(g, token.position);
        }
        address = *parsed;
    }
    if (!p.at(TokenKind::slash)) return g.literal(Value::of_ip(address), token.position);
    p.take();
    const std::uint32_t length = p.expect(TokenKind::number).number;
    if (!p.ok()) return nothing(g, token.position);
    // ::ffff:0:0/96 is an IPv6 network although its addresses stand for IPv4 ones.
    const bool mapped = token.kind == TokenKind::ip6 && address.is_v4();
    const Result<net::Prefix> prefix =
        mapped ? mapped_prefix(address, length) : net::make_prefix(address, length);
    if (!prefix) {
        p.fail(token.position, prefix.error().text);
        return nothing(g, token.position);
    }
    if ((p.at("max") && p.peek(1).kind == TokenKind::number) ||
        (p.at("from") && p.peek(1).kind == TokenKind::ip6)) {
        p.fail(token.position, "Networks of this type are not available in this build");
    }
    return g.literal(Value::of_prefix(*prefix), token.position);
}

/// `hex:…` and plain pairs of digits, colons in between allowed.
Expression* bytes(FilterGrammar& g, const Token& token) {
    std::string_view text = token.text;
    if (text.starts_with("hex:")) text.remove_prefix(4);
    std::string out;
    unsigned half = 0;
    bool high = true;
    for (const char c : text) {
        if (c == ':') continue;
        const int lower = std::tolower(static_cast<unsigned char>(c));
        const auto digit = static_cast<unsigned>(lower <= '9' ? lower - '0' : lower - 'a' + 10);
        if (!high) out.push_back(static_cast<char>(half << 4 | digit));
        half = digit;
        high = !high;
    }
    const std::string_view kept = g.keep_text(out);
    return g.literal(Value::of_bytes(ValueType::bytestring, as_bytes(kept)), token.position);
}

template <class T, class Make>
Expression* parsed(FilterGrammar& g,
                   const Token& token,
                   const Result<T>& value,
                   Make&& make_value) {
    if (!value) {
        g.parser().fail(token.position, value.error().text);
        return nothing(g, token.position);
    }
    return g.literal(make_value(*value), token.position);
}

std::optional<EcKind> ec_kind(std::string_view word) {
    if (word == "rt") return EcKind::route_target;
    if (word == "ro") return EcKind::route_origin;
    if (word == "unknown") return EcKind::unknown;
    if (word == "generic") return EcKind::generic;
    return std::nullopt;
}

struct EcHead {
    EcKind kind;
    std::uint32_t unknown = 0;
};

/// `rt ,` and so on, just after the parenthesis; nothing (and nothing taken) if it is something
/// else.
std::optional<EcHead> ec_head(Parser& p) {
    if (!p.at(TokenKind::word)) return std::nullopt;
    const std::optional<EcKind> kind = ec_kind(p.peek().text);
    if (!kind) return std::nullopt;
    const bool unknown = *kind == EcKind::unknown;
    const TokenKind after = unknown ? TokenKind::number : TokenKind::comma;
    if (p.peek(1).kind != after) return std::nullopt;
    p.take();
    EcHead head{*kind};
    if (unknown) head.unknown = p.take().number;
    p.expect(TokenKind::comma);
    return head;
}

SetItem::Component component(FilterGrammar& g) {
    SetItem::Component c;
    if (g.parser().accept(TokenKind::star)) return c;
    c.low = g.expression();
    if (g.parser().accept(TokenKind::range)) c.high = g.expression();
    return c;
}

void ec_item(FilterGrammar& g, const EcHead& head, SetItem& item) {
    Parser& p = g.parser();
    item.shape = SetItem::Shape::ec;
    item.ec_kind = head.kind;
    item.ec_unknown = head.unknown;
    item.parts[0].low = g.expression();
    p.expect(TokenKind::comma);
    item.parts[1] = component(g);
    p.expect(TokenKind::right_paren);
}

/// `..(c,d)` behind a pair or large community.
void explicit_end(FilterGrammar& g, SetItem& item, int count) {
    Parser& p = g.parser();
    if (!p.accept(TokenKind::range)) return;
    item.explicit_end = true;
    p.expect(TokenKind::left_paren);
    for (int i = 0; i < count && p.ok(); ++i) {
        if (i > 0) p.expect(TokenKind::comma);
        item.end[i] = g.expression();
    }
    p.expect(TokenKind::right_paren);
}

/// Large communities: a range or `*` may only be followed by `*`.
void check_large(Parser& p, const SetItem& item) {
    for (int i = 0; i < 2; ++i) {
        const bool open = item.parts[i].low == nullptr || item.parts[i].high != nullptr;
        if (open && item.parts[i + 1].low != nullptr)
            p.fail(item.position, "Invalid range in LC set");
    }
}

/// After `(`.
void parenthesis_item(FilterGrammar& g, SetItem& item) {
    Parser& p = g.parser();
    if (const std::optional<EcHead> head = ec_head(p)) return ec_item(g, *head, item);
    item.parts[0] = component(g);
    if (!p.at(TokenKind::comma)) {
        p.expect(TokenKind::right_paren);
        if (p.accept(TokenKind::range)) item.parts[0].high = g.term();
        if (p.ok() && item.parts[0].low == nullptr) p.fail_unexpected({"','"});
        return;
    }
    p.take();
    item.shape = SetItem::Shape::pair;
    item.parts[1] = component(g);
    if (p.accept(TokenKind::comma)) {
        item.shape = SetItem::Shape::lc;
        item.parts[2] = component(g);
    }
    p.expect(TokenKind::right_paren);
    const bool large = item.shape == SetItem::Shape::lc;
    if (large) check_large(p, item);
    explicit_end(g, item, large ? 3 : 2);
}

/// `+`, `-` or `{low,high}` behind a prefix.
void prefix_suffix(Parser& p, SetItem& item) {
    if (p.accept(TokenKind::plus)) {
        item.length = SetItem::Length::longer;
    } else if (p.accept(TokenKind::minus)) {
        item.length = SetItem::Length::shorter;
    } else if (p.accept(TokenKind::left_brace)) {
        item.length = SetItem::Length::range;
        item.length_low = p.number();
        p.expect(TokenKind::comma);
        item.length_high = p.number();
        p.expect(TokenKind::right_brace);
    } else {
        return;
    }
    item.shape = SetItem::Shape::prefix;
}

SetItem set_item(FilterGrammar& g) {
    Parser& p = g.parser();
    SetItem item;
    item.position = p.position();
    if (p.accept(TokenKind::left_paren)) {
        parenthesis_item(g, item);
        return item;
    }
    const Expression* const low = g.term();
    item.parts[0].low = low;
    if (low->kind == ExpressionKind::literal && low->value.is(ValueType::prefix)) {
        item.shape = SetItem::Shape::prefix;
    }
    prefix_suffix(p, item);
    if (item.shape != SetItem::Shape::prefix && p.accept(TokenKind::range)) {
        item.parts[0].high = g.term();
    }
    return item;
}

Expression* mask_number(FilterGrammar& g) {
    Parser& p = g.parser();
    if (p.accept(TokenKind::left_paren)) {
        Expression* const e = g.expression();
        p.expect(TokenKind::right_paren);
        return e;
    }
    return g.term();
}

}  // namespace

Expression* parse_literal(FilterGrammar& g) {
    Parser& p = g.parser();
    const Token token = p.peek();
    switch (token.kind) {
        case TokenKind::number:
            return g.literal(Value::of_int(p.take().number), token.position);
        case TokenKind::ip4:
        case TokenKind::ip6:
            return address_or_prefix(g);
        case TokenKind::string:
            return g.literal(Value::of_string(g.keep_text(p.take().text)), token.position);
        case TokenKind::mac:
            p.take();
            return parsed(g, token, net::MacAddress::parse(token.text), &Value::of_mac);
        case TokenKind::route_distinguisher:
            p.take();
            if (p.at(TokenKind::ip4) || p.at(TokenKind::ip6)) {
                p.fail(token.position, "Networks of this type are not available in this build");
            }
            return parsed(g, token, net::RouteDistinguisher::parse(token.text), &Value::of_rd);
        case TokenKind::bytes:
            p.take();
            return bytes(g, token);
        case TokenKind::empty_path:
            p.take();
            return g.literal(Value::of_bytes(ValueType::as_path, {}), token.position);
        case TokenKind::empty_community:
            p.take();
            return g.literal(Value::of_bytes(ValueType::community_list, {}), token.position);
        case TokenKind::empty_extended:
            p.take();
            return g.literal(Value::of_bytes(ValueType::extended_list, {}), token.position);
        case TokenKind::empty_large:
            p.take();
            return g.literal(Value::of_bytes(ValueType::large_list, {}), token.position);
        case TokenKind::word:
            break;
        default:
            return nullptr;
    }
    for (const std::string_view word : other_networks) {
        const TokenKind next = p.peek(1).kind;
        const bool network = next == TokenKind::mac || next == TokenKind::number ||
                             next == TokenKind::ip4 || next == TokenKind::ip6 ||
                             next == TokenKind::left_brace;
        if (token.text != word || token.quoted || !network) continue;
        p.fail(token.position,
               fmt::format("Networks of type {} are not available in this build", word));
        return nothing(g, token.position);
    }
    return nullptr;
}

Expression* parse_parenthesis(FilterGrammar& g) {
    Parser& p = g.parser();
    const Position position = p.last_position();
    if (const std::optional<EcHead> head = ec_head(p)) {
        Expression* const e = g.make(ExpressionKind::community_ec, position);
        e->ec_kind = head->kind;
        e->ec_unknown = head->unknown;
        Expression* const key = g.expression();
        p.expect(TokenKind::comma);
        g.adopt(*e, {key, g.expression()});
        p.expect(TokenKind::right_paren);
        return e;
    }
    std::vector<Expression*> parts{g.expression()};
    while (parts.size() < 3 && p.accept(TokenKind::comma))
        parts.push_back(g.expression());
    p.expect(TokenKind::right_paren);
    if (parts.size() == 1) return parts[0];
    Expression* const e =
        g.make(parts.size() == 2 ? ExpressionKind::pair : ExpressionKind::community_lc, position);
    g.adopt(*e, parts);
    return e;
}

std::span<SetItem> parse_set_items(FilterGrammar& g, TokenKind close) {
    std::vector<SetItem> items;
    if (g.parser().at(close)) return {};
    do {
        items.push_back(set_item(g));
    } while (g.parser().accept(TokenKind::comma));
    return g.keep_all(items);
}

Expression* parse_path_mask(FilterGrammar& g) {
    Parser& p = g.parser();
    Expression* const e = g.make(ExpressionKind::path_mask, p.last_position());
    std::vector<MaskItem> items;
    while (p.more(TokenKind::mask_end)) {
        MaskItem item;
        item.position = p.position();
        if (p.accept(TokenKind::plus)) {
            if (items.empty()) {
                p.fail("Path mask iterator '+' cannot be first");
                break;
            }
            items.back().repeat = true;
            continue;
        }
        if (p.accept(TokenKind::star)) {
            item.kind = MaskItem::Kind::any;
        } else if (p.accept(TokenKind::question)) {
            item.kind = MaskItem::Kind::one;
        } else {
            item.kind = MaskItem::Kind::asn;
            item.low = mask_number(g);
            if (p.accept(TokenKind::range)) {
                item.kind = MaskItem::Kind::range;
                item.high = mask_number(g);
            }
        }
        items.push_back(item);
    }
    e->mask_items = g.keep_all(items);
    return e;
}

}  // namespace tern::config
