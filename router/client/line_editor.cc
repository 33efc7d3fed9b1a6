#include "router/client/line_editor.h"

#include "router/client/client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

namespace tern::client {
namespace {

constexpr int history_lines = 1000;

std::string history_path() {
    const char* home = std::getenv("HOME");
    return home == nullptr ? std::string() : std::string(home) + "/.birdc_history";
}

std::string common_start(const std::vector<std::string>& words) {
    std::string start = words.front();
    for (const std::string& word : words) {
        const auto [end, ignored] =
            std::mismatch(start.begin(), start.end(), word.begin(), word.end());
        start.erase(end, start.end());
    }
    return start;
}

}  // namespace

struct LineEditor::State {
    Client& client;
    int server;
    const char* prompt = "";
    EditLine* editor = nullptr;
    History* history = nullptr;
    HistEvent event{};

    static State& of(EditLine* editor) {
        void* data = nullptr;
        el_get(editor, EL_CLIENTDATA, &data);
        return *static_cast<State*>(data);
    }

    std::string_view before_cursor() const {
        const LineInfo* info = el_line(editor);
        return {info->buffer, static_cast<std::size_t>(info->cursor - info->buffer)};
    }

    static char* show_prompt(EditLine* editor) { return const_cast<char*>(of(editor).prompt); }

    static unsigned char on_tab(EditLine* editor, int) {
        State& state = of(editor);
        const std::string_view line = state.before_cursor();
        const std::vector<std::string> words = state.client.complete(line);
        if (words.empty()) return CC_ERROR;
        const std::size_t blank = line.rfind(' ');
        const std::size_t typed =
            blank == std::string_view::npos ? line.size() : line.size() - blank - 1;
        std::string more = common_start(words).substr(typed);
        if (words.size() == 1) more += ' ';
        if (!more.empty()) {
            return el_insertstr(editor, more.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
        }
        std::putchar('\n');
        for (const std::string& word : words)
            std::printf("%s  ", word.c_str());
        std::putchar('\n');
        std::fflush(stdout);
        return CC_REDISPLAY;
    }

    static unsigned char on_help(EditLine* editor, int) {
        State& state = of(editor);
        std::puts("?");
        state.client.show_help(state.before_cursor());
        return CC_REDISPLAY;
    }

    /// Waits for a key and for the server alike.
    static int get_key(EditLine* editor, wchar_t* key) {
        State& state = of(editor);
        while (true) {
            std::array<pollfd, 2> fds = {pollfd{STDIN_FILENO, POLLIN, 0},
                                         pollfd{state.server, POLLIN, 0}};
            if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return -1;
            if (fds[1].revents != 0) {
                std::putchar('\r');
                if (!state.client.show_notices()) return -1;
                el_set(editor, EL_REFRESH);
            }
            if (fds[0].revents == 0) continue;
            char byte = 0;
            const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
            if (got < 0 && errno == EINTR) continue;
            if (got != 1) return static_cast<int>(got);
            *key = static_cast<unsigned char>(byte);
            return 1;
        }
    }
};

LineEditor::LineEditor(Client& client, int server)
    : state_(std::make_unique<State>(State{.client = client, .server = server})) {
    State& state = *state_;
    state.history = history_init();
    history(state.history, &state.event, H_SETSIZE, history_lines);
    history(state.history, &state.event, H_SETUNIQUE, 1);
    const std::string path = history_path();
    if (!path.empty()) history(state.history, &state.event, H_LOAD, path.c_str());
    state.editor = el_init("ternc", stdin, stdout, stderr);
    el_set(state.editor, EL_CLIENTDATA, &state);
    el_set(state.editor, EL_PROMPT, State::show_prompt);
    el_set(state.editor, EL_EDITOR, "emacs");
    el_set(state.editor, EL_HIST, history, state.history);
    el_set(state.editor, EL_ADDFN, "tern-complete", "complete", State::on_tab);
    el_set(state.editor, EL_ADDFN, "tern-help", "help", State::on_help);
    el_set(state.editor, EL_BIND, "^I", "tern-complete", nullptr);
    el_set(state.editor, EL_BIND, "?", "tern-help", nullptr);
    el_set(state.editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_set(state.editor, EL_SIGNAL, 1);
    el_set(state.editor, EL_GETCFN, State::get_key);
}

LineEditor::~LineEditor() {
    const std::string path = history_path();
    if (!path.empty()) history(state_->history, &state_->event, H_SAVE, path.c_str());
    el_end(state_->editor);
    history_end(state_->history);
}

std::optional<std::string> LineEditor::read_line(const char* prompt) {
    state_->prompt = prompt;
    int length = 0;
    const char* line = el_gets(state_->editor, &length);
    if (line == nullptr || length <= 0) return std::nullopt;
    std::string text(line, static_cast<std::size_t>(length));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
        text.pop_back();
    if (!text.empty()) history(state_->history, &state_->event, H_ENTER, text.c_str());
    return text;
}

}  // namespace tern::client
