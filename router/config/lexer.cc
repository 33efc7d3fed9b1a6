#include "router/config/lexer.h"

#include "router/net/ip_address.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include <fmt/format.h>

namespace tern::config {

namespace {

constexpr std::size_t symbol_max = 64;
constexpr std::size_t string_max = 4096;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_word_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_word(char c) {
    return is_word_start(c) || is_digit(c);
}

std::size_t run(std::string_view s, std::size_t at, bool (*test)(char)) {
    std::size_t n = 0;
    while (at + n < s.size() && test(s[at + n]))
        ++n;
    return n;
}

/// Length of a.b.c.d at the start, or 0.
std::size_t ip4_length(std::string_view s, std::size_t from) {
    std::size_t at = from;
    for (int part = 0; part < 4; ++part) {
        if (part > 0) {
            if (at >= s.size() || s[at] != '.') return 0;
            ++at;
        }
        const std::size_t digits = run(s, at, is_digit);
        if (digits == 0) return 0;
        at += digits;
    }
    return at - from;
}

/// Length of `hex:` followed by pairs and optional colons, or 0.
std::size_t prefixed_bytes_length(std::string_view s) {
    if (!s.starts_with("hex:")) return 0;
    std::size_t at = 4;
    while (at + 1 < s.size() && is_hex(s[at]) && is_hex(s[at + 1])) {
        at += 2;
        if (at + 2 < s.size() && s[at] == ':' && is_hex(s[at + 1]) && is_hex(s[at + 2])) ++at;
    }
    return at;
}

/// Length of `xx:xx:…` and the number of pairs; 0 if fewer than two.
std::size_t pairs_length(std::string_view s, std::size_t& pairs) {
    std::size_t at = 0;
    pairs = 0;
    while (run(s, at, is_hex) == 2) {
        ++pairs;
        at += 2;
        if (at >= s.size() || s[at] != ':' || run(s, at + 1, is_hex) != 2) break;
        ++at;
    }
    return pairs >= 2 ? at : 0;
}

/// Length of something that claims to be IPv6: `::` or at least three colons.
std::size_t ip6_length(std::string_view s) {
    std::size_t at = 0;
    std::size_t colons = 0;
    bool pair = false;
    for (;;) {
        at += run(s, at, is_hex);
        if (at >= s.size() || s[at] != ':') break;
        if (at + 1 < s.size() && s[at + 1] == ':') pair = true;
        ++colons;
        ++at;
    }
    if (!pair && colons < 3) return 0;
    // The last group may be the start of a dotted tail.
    std::size_t group = at;
    while (group > 0 && is_hex(s[group - 1]))
        --group;
    const std::size_t dotted = ip4_length(s, group);
    return dotted > 0 ? group + dotted : at;
}

/// Length of a route distinguisher, or 0.
std::size_t rd_length(std::string_view s) {
    const std::size_t dotted = ip4_length(s, 0);
    const std::size_t first = dotted > 0 ? dotted : run(s, 0, is_digit);
    if (first == 0 || first >= s.size() || s[first] != ':') return 0;
    const std::size_t second_dotted = dotted == 0 ? ip4_length(s, first + 1) : 0;
    const std::size_t second = second_dotted > 0 ? second_dotted : run(s, first + 1, is_digit);
    if (second == 0) return 0;
    const std::size_t two = first + 1 + second;
    if (dotted == 0 && two < s.size() && s[two] == ':') {
        const std::size_t third = run(s, two + 1, is_digit);
        if (third > 0) return two + 1 + third;
    }
    return second_dotted > 0 ? 0 : two;
}

struct Operator {
    std::string_view text;
    TokenKind kind;
};

/// Longer ones first.
constexpr std::array operators = {
    Operator{"---empty---", TokenKind::empty_large},
    Operator{"--empty--", TokenKind::empty_extended},
    Operator{"-empty-", TokenKind::empty_community},
    Operator{"+empty+", TokenKind::empty_path},
    Operator{"[=", TokenKind::mask_begin},
    Operator{"=]", TokenKind::mask_end},
    Operator{"..", TokenKind::range},
    Operator{"!=", TokenKind::not_equal},
    Operator{"!~", TokenKind::not_match},
    Operator{"<=", TokenKind::less_equal},
    Operator{">=", TokenKind::greater_equal},
    Operator{"&&", TokenKind::and_},
    Operator{"||", TokenKind::or_},
    Operator{"++", TokenKind::concat},
    Operator{"->", TokenKind::arrow},
    Operator{";", TokenKind::semicolon},
    Operator{",", TokenKind::comma},
    Operator{".", TokenKind::dot},
    Operator{":", TokenKind::colon},
    Operator{"%", TokenKind::percent},
    Operator{"/", TokenKind::slash},
    Operator{"{", TokenKind::left_brace},
    Operator{"}", TokenKind::right_brace},
    Operator{"(", TokenKind::left_paren},
    Operator{")", TokenKind::right_paren},
    Operator{"[", TokenKind::left_bracket},
    Operator{"]", TokenKind::right_bracket},
    Operator{"=", TokenKind::assign},
    Operator{"<", TokenKind::less},
    Operator{">", TokenKind::greater},
    Operator{"~", TokenKind::match},
    Operator{"!", TokenKind::not_},
    Operator{"&", TokenKind::bit_and},
    Operator{"|", TokenKind::bit_or},
    Operator{"+", TokenKind::plus},
    Operator{"-", TokenKind::minus},
    Operator{"*", TokenKind::star},
    Operator{"?", TokenKind::question},
};

}  // namespace

Lexer::Lexer(SourceSet& sources, std::uint32_t file, Mode mode) : sources_(&sources), mode_(mode) {
    frames_.push_back(Frame{file, sources.text(file), 0, 1, 0});
}

char Lexer::look(std::size_t ahead) const {
    const Frame& f = frames_.back();
    return f.at + ahead < f.text.size() ? f.text[f.at + ahead] : '\0';
}

Position Lexer::here() const {
    const Frame& f = frames_.back();
    return {f.file, f.line, static_cast<std::uint32_t>(f.at - f.line_start + 1)};
}

Token Lexer::take(TokenKind kind, std::size_t length) {
    Frame& f = frames_.back();
    Token token;
    token.kind = kind;
    token.position = here();
    token.text = f.text.substr(f.at, length);
    f.at += length;
    return token;
}

Token Lexer::complain(Position position, std::string text) {
    complaints_.push_back(std::make_unique<std::string>(std::move(text)));
    Token token;
    token.kind = TokenKind::invalid;
    token.position = position;
    token.text = *complaints_.back();
    return token;
}

Token Lexer::next() {
    Token problem;
    if (!skip_blank(problem)) return problem;
    const Frame& f = frames_.back();
    if (f.at >= f.text.size()) {
        Token token;
        token.position = here();
        return token;
    }
    line_start_ = false;
    const char c = look(0);
    if (c == '"') return read_string();
    if (c == '\'') return read_quoted();
    if (is_digit(c) || is_hex(c) || c == ':' || c == 'h') return read_number_or_address();
    if (is_word_start(c)) return read_word();
    return read_punctuation();
}

/// False with `problem` set if the text is wrong; leaves finished includes.
bool Lexer::skip_blank(Token& problem) {
    for (;;) {
        Frame& f = frames_.back();
        if (f.at >= f.text.size()) {
            if (!pending_.empty() && pending_at_.back() == frames_.size() - 1) {
                const std::string path = std::move(pending_.back());
                const Position place = here();
                pending_.pop_back();
                pending_at_.pop_back();
                frames_.pop_back();
                const Result<std::uint32_t> file = sources_->open(path);
                if (!file) {
                    problem = complain(place, fmt::format("Unable to open included file {}: {}",
                                                          path, file.error().text));
                    return false;
                }
                frames_.push_back(Frame{*file, sources_->text(*file), 0, 1, 0});
                line_start_ = true;
                continue;
            }
            if (frames_.size() == 1) return true;
            frames_.pop_back();
            continue;
        }
        const char c = f.text[f.at];
        if (c == '\n') {
            ++f.at;
            ++f.line;
            f.line_start = f.at;
            line_start_ = true;
        } else if (c == ' ' || c == '\t') {
            ++f.at;
        } else if (c == '#') {
            while (f.at < f.text.size() && f.text[f.at] != '\n')
                ++f.at;
        } else if (c == '/' && look(1) == '*') {
            if (!skip_comment(problem)) return false;
        } else if (line_start_ && c == 'i' && f.text.substr(f.at).starts_with("include")) {
            line_start_ = false;
            const std::size_t depth = frames_.size();
            const std::size_t at = f.at;
            if (!try_include(problem)) return false;
            if (frames_.size() == depth && frames_.back().at == at) return true;
        } else {
            return true;
        }
    }
}

bool Lexer::skip_comment(Token& problem) {
    Frame& f = frames_.back();
    const Position begin = here();
    f.at += 2;
    while (f.at < f.text.size()) {
        if (f.text[f.at] == '*' && look(1) == '/') {
            f.at += 2;
            return true;
        }
        if (f.text[f.at] == '/' && look(1) == '*') {
            problem = complain(here(), "Comment nesting not supported");
            return false;
        }
        if (f.text[f.at] == '\n') {
            ++f.line;
            f.line_start = f.at + 1;
            line_start_ = true;
        }
        ++f.at;
    }
    problem = complain(begin, "Unterminated comment");
    return false;
}

/// At the word `include` at the start of a line; takes `include "FILE";` if that is what it is.
bool Lexer::try_include(Token& problem) {
    Frame& f = frames_.back();
    const Position place = here();
    const auto skip = [&f](std::size_t at) {
        while (at < f.text.size() && (f.text[at] == ' ' || f.text[at] == '\t'))
            ++at;
        return at;
    };
    std::size_t at = skip(f.at + 7);
    if (at >= f.text.size() || f.text[at] != '"') return true;
    const std::size_t begin = at + 1;
    const std::size_t end = f.text.find_first_of("\"\n", begin);
    if (end == std::string_view::npos || f.text[end] != '"') return true;
    at = skip(end + 1);
    if (at >= f.text.size() || f.text[at] != ';') return true;
    if (mode_ == Mode::command) {
        problem = complain(place, "Include not allowed in CLI");
        return false;
    }
    const std::string_view path = f.text.substr(begin, end - begin);
    f.at = at + 1;
    return push_includes(path, place, problem);
}

bool Lexer::push_includes(std::string_view path, Position place, Token& problem) {
    if (frames_.size() > SourceSet::depth_max) {
        problem = complain(place, "Max include depth reached");
        return false;
    }
    Result<std::vector<std::string>> files = sources_->resolve(path, place.file);
    if (!files) {
        problem = complain(place,
                           fmt::format("Unable to match pattern {}: {}", path, files.error().text));
        return false;
    }
    if (files->empty()) return true;
    const Result<std::uint32_t> first = sources_->open(files->front());
    if (!first) {
        problem = complain(place, fmt::format("Unable to open included file {}: {}", files->front(),
                                              first.error().text));
        return false;
    }
    // The others wait; the one to follow stands last.
    for (std::size_t i = files->size() - 1; i > 0; --i) {
        pending_.push_back(std::move((*files)[i]));
        pending_at_.push_back(frames_.size());
    }
    frames_.push_back(Frame{*first, sources_->text(*first), 0, 1, 0});
    line_start_ = true;
    return true;
}

Token Lexer::read_number_or_address() {
    const Frame& f = frames_.back();
    const std::string_view s = f.text.substr(f.at);
    const std::size_t word = is_word_start(s[0]) ? run(s, 0, is_word) : 0;
    const std::size_t hexes = run(s, 0, is_hex);
    std::size_t pairs = 0;
    const std::size_t paired = pairs_length(s, pairs);
    const std::size_t ip6 = ip6_length(s);
    const std::size_t bytes = prefixed_bytes_length(s);
    const std::size_t colons = pairs >= 10 ? paired : 0;
    const std::size_t solid = hexes >= 20 && hexes % 2 == 0 ? hexes : 0;
    if (std::max({bytes, colons, solid}) >= std::max({ip6, word, hexes, std::size_t{1}})) {
        return take(TokenKind::bytes, std::max({bytes, colons, solid}));
    }
    if (pairs == 6 && paired >= ip6) return take(TokenKind::mac, paired);
    if (ip6 > word) {
        Token token = take(TokenKind::ip6, ip6);
        if (net::IpAddress::parse_v6(token.text)) return token;
        return complain(token.position, fmt::format("Invalid IPv6 address {}", token.text));
    }
    if (word > 0) return read_word();
    if (!is_digit(s[0])) return read_punctuation();
    if (const std::size_t rd = rd_length(s); rd > 0) {
        return take(TokenKind::route_distinguisher, rd);
    }
    if (const std::size_t dotted = ip4_length(s, 0); dotted > 0) {
        Token token = take(TokenKind::ip4, dotted);
        const Result<net::IpAddress> address = net::IpAddress::parse_v4(token.text);
        if (!address) {
            return complain(token.position, fmt::format("Invalid IPv4 address {}", token.text));
        }
        token.number = address->v4_value();
        return token;
    }
    const bool hex = s.starts_with("0x") || s.starts_with("0X");
    const std::size_t digits = hex ? run(s, 2, is_hex) : run(s, 0, is_digit);
    if (hex && digits == 0) {
        Token token = take(TokenKind::number, 1);
        return token;
    }
    Token token = take(TokenKind::number, digits + (hex ? 2 : 0));
    const std::string_view text = token.text.substr(hex ? 2 : 0);
    const auto parsed =
        std::from_chars(text.data(), text.data() + text.size(), token.number, hex ? 16 : 10);
    if (parsed.ec != std::errc()) return complain(token.position, "Number out of range");
    return token;
}

Token Lexer::read_word() {
    const Frame& f = frames_.back();
    Token token = take(TokenKind::word, run(f.text, f.at, is_word));
    if (token.text.size() > symbol_max) return complain(token.position, "Symbol too long");
    return token;
}

Token Lexer::read_quoted() {
    Frame& f = frames_.back();
    const Position place = here();
    const std::size_t begin = f.at + 1;
    const std::size_t end = f.text.find_first_of("'\n", begin);
    if (end == std::string_view::npos || f.text[end] != '\'') {
        return complain(place, "Unterminated symbol");
    }
    Token token;
    token.kind = TokenKind::word;
    token.quoted = true;
    token.position = place;
    token.text = f.text.substr(begin, end - begin);
    f.at = end + 1;
    for (const char c : token.text) {
        if (!is_word(c) && c != '.' && c != ':' && c != '-') {
            return complain(place, "Unknown character");
        }
    }
    if (token.text.empty()) return complain(place, "Empty symbol");
    if (token.text.size() > symbol_max) return complain(place, "Symbol too long");
    return token;
}

Token Lexer::read_string() {
    Frame& f = frames_.back();
    const Position place = here();
    const std::size_t begin = f.at + 1;
    const std::size_t end = f.text.find_first_of("\"\n", begin);
    if (end == std::string_view::npos || f.text[end] != '"') {
        return complain(place, "Unterminated string");
    }
    if (end - begin >= string_max) return complain(place, "String too long");
    Token token;
    token.kind = TokenKind::string;
    token.position = place;
    token.text = f.text.substr(begin, end - begin);
    f.at = end + 1;
    return token;
}

Token Lexer::read_punctuation() {
    const Frame& f = frames_.back();
    const std::string_view s = f.text.substr(f.at);
    for (const Operator& op : operators) {
        if (s.front() != op.text.front() || !s.starts_with(op.text)) continue;
        return take(op.kind, op.text.size());
    }
    return complain(here(), "Unknown character");
}

}  // namespace tern::config
