#include "router/cli/reference.h"

namespace tern::cli {
namespace {

constexpr std::string_view introduction =
    "# Commands of the control socket\n"
    "\n"
    "Generated out of the command table; do not edit.\n"
    "\n"
    "Words may be abbreviated as long as they stay unambiguous. `json` in front of a command, or\n"
    "`format json` for a whole session, makes the reply JSON: the texts of all lines of code "
    "1100,\n"
    "joined without separator, are one array. `restricted: no` marks commands that a session\n"
    "answers with `8007 Access denied` after `restrict`.\n";

}  // namespace

std::string command_reference(const CommandTable& table) {
    std::string page(introduction);
    for (const Command& row : table.rows()) {
        if (row.heading) continue;
        page += "\n## ";
        page += row.words;
        page += "\n\n    ";
        page += row.words;
        if (!row.arguments.empty()) {
            page += ' ';
            page += row.arguments;
        }
        page += "\n\n";
        page += row.help;
        page += row.access == Access::everyone ? ".\n" : " (restricted: no).\n";
    }
    return page;
}

}  // namespace tern::cli
