#include "router/cli/reference.h"

namespace tern::cli {
namespace {

constexpr std::string_view introduction = R"(# Commands of the control socket

Written out of the command table of the program by its tests; change that, not this page.

`ternc COMMAND` runs one command, `ternc` alone asks for them; `birdc` is another name of it. `-s
PATH` names the socket, `-r` gives up all rights but looking, `-v` shows the reply codes, `-j`
asks for JSON. The exit status is 0 unless the last reply code is 8000 or more.

Words may be abbreviated as long as they stay unambiguous. `json` in front of a command, or
`format json` for a whole session, makes the reply JSON: the texts of all lines of code 1100,
joined without separator, are one array.

In the forms below `(a | b)` is a choice, `[x]` may be left out, `<x>` stands for a value. A
protocol is meant by its name, a quoted pattern with `*` and `?`, or `all`. Commands marked
"changes things" are answered with `8007 Access denied` in a session that said `restrict`, or on a
socket with that option.

## Replies

Lines are `CODE TEXT` (the last one of a reply), `CODE-TEXT`, or a blank and text with the code of
the line above.

| codes | meaning |
|---|---|
| 0000 to 0025 | done; what was asked for is under way or is so |
| 1000 to 1101 | a row of a table |
| 2002, 2005 | the heading of one |
| 8001 to 8009 | not possible: nothing found, a bad configuration, no rights |
| 9000 to 9003 | not understood |
)";

void add_row(std::string& page, const Command& row) {
    page += "\n### ";
    page += row.words;
    page += "\n\n    ";
    page += row.words;
    if (!row.arguments.empty()) {
        page += ' ';
        page += row.arguments;
    }
    page += "\n\n";
    page += row.help;
    page += row.access == Access::everyone ? ".\n" : ". Changes things.\n";
    if (row.details.empty()) return;
    page += '\n';
    page += row.details;
    page += '\n';
}

}  // namespace

std::string command_reference(const CommandTable& table) {
    std::string page(introduction);
    for (const bool show : {true, false}) {
        page += show ? "\n## Looking\n" : "\n## Doing\n";
        for (const Command& row : table.rows()) {
            if (!row.heading && row.words.starts_with("show ") == show) add_row(page, row);
        }
    }
    return page;
}

}  // namespace tern::cli
