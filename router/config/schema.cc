#include "router/config/schema.h"

#include "router/config/parser.h"

#include <algorithm>
#include <string>
#include <vector>

namespace tern::config {

namespace {

std::string_view word_at(std::string_view words, std::size_t index) {
    while (index-- > 0) {
        const std::size_t end = words.find(' ');
        if (end == std::string_view::npos) return {};
        words.remove_prefix(end + 1);
    }
    return words.substr(0, words.find(' '));
}

std::size_t word_count(std::string_view words) {
    return static_cast<std::size_t>(std::count(words.begin(), words.end(), ' ')) + 1;
}

/// How many leading words of the row come next in the text.
std::size_t match_length(Parser& parser, std::string_view words) {
    std::size_t count = 0;
    for (;;) {
        const std::string_view word = word_at(words, count);
        if (word.empty() || !parser.at(word, count)) return count;
        ++count;
    }
}

/// Points at the first word that fits no row, and says which would.
void fail_no_row(Parser& parser, std::span<const Rows> groups) {
    std::size_t longest = 0;
    for (const Rows rows : groups) {
        for (const OptionRow& row : rows) {
            longest = std::max(longest, match_length(parser, row.words));
        }
    }
    std::vector<std::string> expected;
    for (const Rows rows : groups) {
        for (const OptionRow& row : rows) {
            if (match_length(parser, row.words) != longest) continue;
            std::string next(word_at(row.words, longest));
            if (std::find(expected.begin(), expected.end(), next) == expected.end()) {
                expected.push_back(std::move(next));
            }
        }
    }
    for (std::size_t i = 0; i < longest; ++i)
        parser.take();
    parser.fail_unexpected(expected);
}

}  // namespace

const OptionRow* find_row(Parser& parser, Rows rows) {
    const Token& next = parser.peek();
    if (next.kind != TokenKind::word) return nullptr;
    const OptionRow* best = nullptr;
    std::size_t best_count = 0;
    for (const OptionRow& row : rows) {
        // Long blocks ask this for every item: most rows are out by their first letter.
        if (row.words.front() != next.text.front()) continue;
        const std::size_t count = word_count(row.words);
        if (count > best_count && match_length(parser, row.words) == count) {
            best = &row;
            best_count = count;
        }
    }
    return best;
}

void parse_option(Parser& parser, Block& block, std::span<const Rows> groups) {
    const OptionRow* best = nullptr;
    for (const Rows rows : groups) {
        const OptionRow* row = find_row(parser, rows);
        if (row == nullptr) continue;
        if (best == nullptr || word_count(row->words) > word_count(best->words)) best = row;
    }
    if (best == nullptr) {
        fail_no_row(parser, groups);
        return;
    }
    parser.accept_words(best->words);
    best->parse(parser, block, *best);
}

void parse_block(Parser& parser, Block& block, std::span<const Rows> groups) {
    parser.expect(TokenKind::left_brace);
    while (parser.more(TokenKind::right_brace)) {
        if (parser.accept(TokenKind::semicolon)) continue;
        parse_option(parser, block, groups);
        parser.expect(TokenKind::semicolon);
    }
}

Effect compare_rows(Rows rows, const Block& a, const Block& b) {
    Effect effect = Effect::none;
    for (const OptionRow& row : rows) {
        if (row.equal != nullptr && !row.equal(a, b)) effect |= row.effect;
    }
    return effect;
}

}  // namespace tern::config
