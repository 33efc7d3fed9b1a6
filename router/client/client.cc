#include "router/client/client.h"

#include "router/client/line_editor.h"

#include <algorithm>
#include <cstdio>
#include <optional>

namespace tern::client {
namespace {

constexpr int failure_codes = 8000;
constexpr int code_welcome = 1;
constexpr int code_json = 1100;
constexpr int code_command_help = 1101;
constexpr int code_symbol = 1010;
constexpr int server_gone = -1;

std::string_view strip(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t start = text.find_first_not_of(blanks);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(blanks) - start + 1);
}

/// The part of a line that is a word being typed.
std::string_view last_word(std::string_view line) {
    const std::size_t blank = line.rfind(' ');
    return blank == std::string_view::npos ? line : line.substr(blank + 1);
}

}  // namespace

Client::Client(Connection& connection, const ClientOptions& options, bool interactive)
    : connection_(connection), options_(options), pager_(interactive) {}

ExitStatus Client::lost() {
    std::fflush(stdout);
    std::fputs("Connection closed by server\n", stderr);
    return ExitStatus::failure;
}

bool Client::start() {
    const std::optional<ReplyLine> greeting = connection_.receive();
    if (!greeting) return false;
    pager_.begin();
    // A reader of JSON wants nothing else on standard output.
    if (greeting->code == code_welcome && !options_.json) print(*greeting);
    load_commands();
    if (options_.json) (void)execute("format json", Shown::no);
    if (options_.restricted) {
        (void)execute("restrict", options_.json ? Shown::no : Shown::yes);
    }
    return !connection_.closed();
}

void Client::load_commands() {
    std::vector<std::string> rows;
    collect_ = &rows;
    (void)execute("show commands", Shown::no);
    collect_ = nullptr;
    for (const std::string& row : rows) {
        if (row.starts_with(std::to_string(code_command_help) + " ")) {
            commands_.add_row(std::string_view(row).substr(5));
        }
    }
}

int Client::execute(std::string_view command, Shown shown) {
    if (!connection_.send_line(command)) return server_gone;
    pager_.begin();
    as_json_ = options_.json || command.starts_with(json_prefix);
    json_.clear();
    while (true) {
        const std::optional<ReplyLine> line = connection_.receive();
        if (!line) return server_gone;
        if (collect_ != nullptr && !line->notice) {
            collect_->push_back(std::to_string(line->code) + " " + line->text);
        } else if (shown == Shown::yes || line->notice) {
            print(*line);
        }
        if (!line->last) continue;
        if (!json_.empty()) pager_.print(json_);
        return line->code;
    }
}

void Client::print(const ReplyLine& line) {
    if (line.notice) {
        pager_.print(">>> " + line.text);
        return;
    }
    if (as_json_ && !options_.verbose) {
        if (line.code == code_json) json_ += line.text;
        return;
    }
    // The end of a reply without text is no line for people.
    if (line.code == 0 && line.text.empty()) return;
    if (!options_.verbose) {
        pager_.print(line.text);
    } else {
        pager_.print(line.continuation ? "     " + line.text : line.raw);
    }
}

ExitStatus Client::run_one(std::string_view command) {
    const Result<std::string> expanded = commands_.expand(command);
    if (!expanded) {
        std::puts(expanded.error().text.c_str());
        return ExitStatus::failure;
    }
    const int code = execute(*expanded, Shown::yes);
    if (code == server_gone) return lost();
    return code < failure_codes ? ExitStatus::success : ExitStatus::failure;
}

bool Client::handle_line(std::string_view line) {
    line = strip(line);
    if (line.empty()) return true;
    if (line == "exit" || line == "quit") return false;
    if (line.ends_with('?')) {
        show_help(line.substr(0, line.size() - 1));
        return true;
    }
    if (line == "help") {
        show_help("");
        return true;
    }
    const Result<std::string> expanded = commands_.expand(line);
    if (!expanded) {
        std::puts(expanded.error().text.c_str());
        return true;
    }
    return execute(*expanded, Shown::yes) != server_gone;
}

ExitStatus Client::run_interactive() {
    LineEditor editor(*this, connection_.descriptor());
    while (true) {
        const std::optional<std::string> line = editor.read_line("bird> ");
        if (connection_.closed()) return lost();
        if (!line) {
            std::putchar('\n');
            return ExitStatus::success;
        }
        const bool more = handle_line(*line);
        std::fflush(stdout);
        if (connection_.closed()) return lost();
        if (!more) return ExitStatus::success;
    }
}

ExitStatus Client::run_piped() {
    std::string line;
    while (true) {
        const int byte = std::getchar();
        if (byte != '\n' && byte != EOF) {
            line += static_cast<char>(byte);
            continue;
        }
        if (byte == EOF && line.empty()) break;
        std::printf("bird> %s\n", line.c_str());
        const bool more = handle_line(line);
        if (connection_.closed()) return lost();
        if (!more || byte == EOF) break;
        line.clear();
    }
    return ExitStatus::success;
}

std::vector<std::string> Client::names() {
    std::vector<std::string> rows;
    collect_ = &rows;
    (void)execute("show symbols", Shown::no);
    collect_ = nullptr;
    std::vector<std::string> found;
    for (const std::string& row : rows) {
        if (!row.starts_with(std::to_string(code_symbol) + " ")) continue;
        const std::string_view text = std::string_view(row).substr(5);
        found.emplace_back(text.substr(0, text.find_first_of(" \t")));
    }
    return found;
}

std::vector<std::string> Client::complete(std::string_view line) {
    std::vector<std::string> words;
    for (const std::string_view word : commands_.complete(line))
        words.emplace_back(word);
    if (!words.empty() || options_.json || !commands_.at_argument(line)) return words;
    const std::string_view start = last_word(line);
    for (std::string& name : names()) {
        if (name.starts_with(start)) words.push_back(std::move(name));
    }
    return words;
}

void Client::show_help(std::string_view line) {
    const std::vector<std::string> lines = commands_.help(line);
    for (const std::string& one : lines)
        std::puts(one.c_str());
    if (lines.empty()) std::puts("No such command. Press `?' for help.");
    std::fflush(stdout);
}

bool Client::show_notices() {
    pager_.begin();
    while (const std::optional<ReplyLine> line = connection_.poll())
        print(*line);
    std::fflush(stdout);
    return !connection_.closed();
}

}  // namespace tern::client
