#include "router/client/command_list.h"

#include <algorithm>
#include <utility>

namespace tern::client {
namespace {

constexpr std::size_t help_column = 45;
constexpr std::string_view group_arguments = "...";

std::string_view without_json(std::string_view line) {
    if (line.starts_with(json_prefix)) line.remove_prefix(json_prefix.size());
    return line;
}

std::string help_line(std::string_view words, std::string_view arguments, std::string_view help) {
    std::string line(words);
    if (!arguments.empty()) {
        line += ' ';
        line += arguments;
    }
    if (line.size() < help_column) line.append(help_column - line.size(), ' ');
    line += "  ";
    line += help;
    return line;
}

std::size_t count_words(std::string_view text) {
    std::size_t count = 0;
    bool inside = false;
    for (const char byte : text) {
        const bool blank = byte == ' ' || byte == '\t';
        if (!blank && !inside) ++count;
        inside = !blank;
    }
    return count;
}

/// The first `count` words of a row.
std::string_view first_words(std::string_view words, std::size_t count) {
    std::size_t at = 0;
    while (at < words.size()) {
        if (words[at] == ' ' && --count == 0) return words.substr(0, at);
        ++at;
    }
    return words;
}

}  // namespace

CommandList::CommandList() {
    add("quit", "", "Quit the client");
    add("exit", "", "Quit the client");
}

void CommandList::add(std::string words, std::string arguments, std::string help) {
    const auto same = [&](const cli::Command& row) { return row.words == words; };
    if (std::any_of(table_.rows().begin(), table_.rows().end(), same)) return;
    cli::Command row;
    row.heading = arguments == group_arguments;
    row.words = texts_.emplace_back(std::move(words));
    row.arguments = texts_.emplace_back(std::move(arguments));
    row.help = texts_.emplace_back(std::move(help));
    table_.add(row);
}

void CommandList::add_row(std::string_view row) {
    const std::size_t first = row.find('\t');
    if (first == std::string_view::npos || first == 0) return;
    const std::size_t second = row.find('\t', first + 1);
    if (second == std::string_view::npos) return;
    known_ = true;
    add(std::string(row.substr(0, first)), std::string(row.substr(first + 1, second - first - 1)),
        std::string(row.substr(second + 1)));
}

Result<std::string> CommandList::expand(std::string_view line) const {
    if (!known_) return std::string(line);
    if (line.starts_with(json_prefix)) {
        Result<std::string> command = expand(line.substr(json_prefix.size()));
        if (command) command->insert(0, json_prefix);
        return command;
    }
    Result<std::string> expanded = cli::expand_command(table_, line);
    if (expanded) return expanded;
    if (expanded.error().text.empty()) return fail("No such command. Press `?' for help.");
    std::string text = "Ambiguous command, possible expansions are:";
    for (const std::string& one : help(line))
        text += '\n' + one;
    return fail(std::move(text));
}

/// One line for each word that can come next: the row of exactly these words, or `WORDS ...`.
std::vector<std::string> CommandList::help(std::string_view line) const {
    line = without_json(line);
    const bool open = line.empty() || line.back() == ' ';
    const std::size_t depth = count_words(line) + (open ? 1 : 0);
    std::vector<std::string> lines;
    std::string_view shown;
    // Rows come in order of words, so the shortest row of a group is its first.
    for (const cli::Command* row : cli::matching_commands(table_, line)) {
        const std::string_view start = first_words(row->words, depth);
        if (start == shown) continue;
        shown = start;
        const bool exact = start.size() == row->words.size();
        // A heading stands for the rows below it; among them it says nothing.
        if (exact && row->heading && count_words(start) < depth) continue;
        lines.push_back(exact ? help_line(row->words, row->arguments, row->help)
                              : help_line(start, group_arguments, ""));
    }
    return lines;
}

std::vector<std::string_view> CommandList::complete(std::string_view line) const {
    return cli::complete_command(table_, without_json(line));
}

bool CommandList::at_argument(std::string_view line) const {
    return known_ && cli::parse_command(table_, without_json(line)).has_value();
}

}  // namespace tern::client
