#include "router/client/pager.h"

#include <cstdio>

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace tern::client {
namespace {

/// Used when the terminal does not tell its height.
constexpr int usual_rows = 24;

int page_size() {
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1;
    return (known ? size.ws_row : usual_rows) - 1;
}

/// Reads one key without waiting for enter; 'q' if there is no more input.
char read_key() {
    termios before{};
    if (::tcgetattr(STDIN_FILENO, &before) != 0) return 'q';
    termios raw = before;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    char key = 'q';
    if (::read(STDIN_FILENO, &key, 1) != 1) key = 'q';
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return key;
}

}  // namespace

void Pager::begin() {
    dropped_ = false;
    room_ = interactive_ ? page_size() : 0;
}

void Pager::print(std::string_view line) {
    if (dropped_) return;
    if (interactive_ && room_ == 0) ask();
    if (dropped_) return;
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
    --room_;
}

void Pager::ask() {
    std::fputs("--More--\r", stdout);
    std::fflush(stdout);
    while (true) {
        switch (read_key()) {
            case ' ':
                room_ = page_size();
                break;
            case '\n':
            case '\r':
                room_ = 1;
                break;
            case 'q':
                dropped_ = true;
                break;
            default:
                continue;
        }
        break;
    }
    std::fputs("        \r", stdout);
}

}  // namespace tern::client
