#include "router/cli/command_parser.h"

#include <algorithm>
#include <span>

namespace tern::cli {
namespace {

constexpr std::string_view blanks = " \t\r";

bool is_word(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

std::string_view skip_blanks(std::string_view text) {
    const std::size_t start = text.find_first_not_of(blanks);
    return start == std::string_view::npos ? text.substr(text.size()) : text.substr(start);
}

std::string_view strip(std::string_view text) {
    text = skip_blanks(text);
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::string_view first_word(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && is_word(text[length]))
        ++length;
    return text.substr(0, length);
}

/// The word number `index` of a row, empty behind its last.
std::string_view word_at(std::string_view words, std::size_t index) {
    for (; index > 0; --index) {
        const std::size_t blank = words.find(' ');
        if (blank == std::string_view::npos) return {};
        words.remove_prefix(blank + 1);
    }
    return words.substr(0, words.find(' '));
}

using Candidates = std::vector<const Command*>;

/// Distinct words that stand at `depth` in the candidates and begin with `start`.
std::vector<std::string_view> words_at(const Candidates& candidates,
                                       std::size_t depth,
                                       std::string_view start) {
    std::vector<std::string_view> words;
    for (const Command* command : candidates) {
        const std::string_view word = word_at(command->words, depth);
        if (word.empty() || !word.starts_with(start)) continue;
        if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
    }
    return words;
}

/// State of a walk from word to word through the rows.
struct Walk {
    Candidates candidates;           ///< Rows that begin with the words so far.
    const Command* row = nullptr;    ///< The longest row that is complete.
    std::string_view row_arguments;  ///< What stands behind that row's words.
    std::string_view rest;           ///< What stands behind all words taken.
    std::size_t depth = 0;
    bool ambiguous = false;
};

void take_word(Walk& walk, std::string_view word, std::string_view rest) {
    std::erase_if(walk.candidates, [&](const Command* command) {
        return word_at(command->words, walk.depth) != word;
    });
    ++walk.depth;
    walk.rest = skip_blanks(rest);
    for (const Command* command : walk.candidates) {
        if (command->heading || !word_at(command->words, walk.depth).empty()) continue;
        walk.row = command;
        walk.row_arguments = walk.rest;
    }
}

enum class Mode : unsigned char {
    parse,     ///< An abbreviation never hides an argument.
    expand,    ///< An abbreviation may hide an argument.
    complete,  ///< The word that ends the line is left in `rest`: it may be incomplete.
};

/// Takes words as long as they are words of commands.
Walk walk_words(const CommandTable& table, std::string_view line, Mode mode) {
    Walk walk;
    for (const Command& command : table.rows())
        walk.candidates.push_back(&command);
    walk.rest = skip_blanks(line);
    while (true) {
        const std::string_view word = first_word(walk.rest);
        if (word.empty() || (mode == Mode::complete && word.size() == walk.rest.size()))
            return walk;
        const std::string_view rest = walk.rest.substr(word.size());
        const std::vector<std::string_view> words = words_at(walk.candidates, walk.depth, word);
        if (std::find(words.begin(), words.end(), word) != words.end()) {
            take_word(walk, word, rest);
            continue;
        }
        // Here an argument may stand, which an abbreviation must not hide.
        const bool row_ends_here = walk.row != nullptr && walk.row_arguments == walk.rest;
        if (words.empty() || (row_ends_here && mode != Mode::expand)) return walk;
        if (words.size() > 1) {
            walk.ambiguous = !row_ends_here;
            return walk;
        }
        take_word(walk, words.front(), rest);
    }
}

std::string possible_words(const Walk& walk) {
    std::string text;
    for (const std::string_view word :
         words_at(walk.candidates, walk.depth, first_word(walk.rest))) {
        text += ' ';
        text += word;
    }
    return text;
}

}  // namespace

std::string unexpected_token(std::string_view text) {
    text = skip_blanks(text);
    if (text.empty()) return "END";
    const char first = text.front();
    if (first == '"') return "TEXT";
    if (first >= '0' && first <= '9') return "NUM";
    if (is_word(first) || first == '\'') return "CF_SYM_UNDEFINED";
    if (static_cast<unsigned char>(first) < 0x20 || static_cast<unsigned char>(first) > 0x7e) {
        return "invalid character";
    }
    return std::string("'") + first + "'";
}

Result<ParsedCommand> parse_command(const CommandTable& table, std::string_view line) {
    line = strip(line);
    const Walk walk = walk_words(table, line, Mode::parse);
    if (walk.row != nullptr) return ParsedCommand{walk.row, walk.row_arguments};
    if (walk.ambiguous) {
        return fail("ambiguous command, possible words are" + possible_words(walk));
    }
    return fail("syntax error, unexpected " + unexpected_token(walk.rest));
}

Result<std::string> expand_command(const CommandTable& table, std::string_view line) {
    const Walk walk = walk_words(table, strip(line), Mode::expand);
    if (walk.row == nullptr) return fail(walk.ambiguous ? possible_words(walk) : std::string());
    std::string text(walk.row->words);
    if (!walk.row_arguments.empty()) {
        text += ' ';
        text += strip(walk.row_arguments);
    }
    return text;
}

std::vector<std::string_view> complete_command(const CommandTable& table, std::string_view line) {
    const Walk walk = walk_words(table, line, Mode::complete);
    if (walk.ambiguous || first_word(walk.rest).size() != walk.rest.size()) return {};
    return words_at(walk.candidates, walk.depth, walk.rest);
}

std::vector<const Command*> matching_commands(const CommandTable& table, std::string_view line) {
    const Walk walk = walk_words(table, line, Mode::complete);
    const std::string_view start = first_word(walk.rest);
    std::vector<const Command*> rows;
    for (const Command* command : walk.candidates) {
        const std::string_view word = word_at(command->words, walk.depth);
        if (start.empty() || word.starts_with(start)) rows.push_back(command);
    }
    // Behind the words of a row come its arguments.
    if (rows.empty() && walk.row != nullptr) rows.push_back(walk.row);
    return rows;
}

}  // namespace tern::cli
