#include "locking/check.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>

#if __has_include(<execinfo.h>)
#include <execinfo.h>
#endif
#include "locking/lock_report.h"
#include "locking/platform.h"

#include <unistd.h>

namespace tern::locking {

namespace {

// Process-wide: whoever embeds tern wants one place for all its bugs.
constinit std::atomic<ViolationHandler> violation_handler{print_violation};

constexpr std::size_t report_bytes = 8192;

void add_held(TextBuffer& report) {
    report.add({ThreadText(platform::thread_id()).text()});
    if (held_count() == 0) {
        report.add({" holds no domain"});
    } else {
        report.add({" holds, outermost first:"});
        for_each_held([&](const RankedLock& lock, Here where) {
            report.add({"\n  ", lock.name(), " (rank ", lock.rank(), ") taken at ", where.file, ":",
                        where.line});
        });
    }
    if (thread_state.in_read_section()) report.add({"\nit is in an RCU read section"});
    report.add({"\n"});
}

void write_to_standard_error(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
        if (written <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

[[noreturn]] void finish(const TextBuffer& report) {
    violation_handler.load(std::memory_order_acquire)(report.text());
    std::abort();
}

}  // namespace

std::size_t TextPiece::write(char* out, std::size_t room) const {
    if (kind_ == Kind::text) {
        const std::size_t length = std::min(room, text_.size());
        if (length != 0) std::memcpy(out, text_.data(), length);
        return length;
    }
    std::array<char, 24> digits;
    char* at = digits.data();
    if (kind_ == Kind::negative) *at++ = '-';
    if (kind_ == Kind::address) {
        *at++ = '0';
        *at++ = 'x';
    }
    const int base = kind_ == Kind::address ? 16 : 10;
    at = std::to_chars(at, digits.data() + digits.size(), number_, base).ptr;
    const std::size_t length = std::min(room, static_cast<std::size_t>(at - digits.data()));
    std::memcpy(out, digits.data(), length);
    return length;
}

void print_violation(std::string_view report) noexcept {
    write_to_standard_error(report);
#if __has_include(<execinfo.h>)
    std::array<void*, 48> frames;
    const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
    ::backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
#endif
}

ViolationHandler set_violation_handler(ViolationHandler handler) noexcept {
    return violation_handler.exchange(handler, std::memory_order_acq_rel);
}

void fatal(Here where, std::initializer_list<TextPiece> message) noexcept {
    char room[report_bytes];
    TextBuffer report(room);
    report.add({where.file, ":", where.line, ": "});
    report.add(message);
    report.add({"\n"});
    add_held(report);
    finish(report);
}

void assertion_failed(Here where,
                      const char* condition,
                      std::initializer_list<TextPiece> message) noexcept {
    char room[report_bytes];
    TextBuffer report(room);
    report.add({where.file, ":", where.line, ": assertion failed: ", condition,
                message.size() != 0 ? ": " : ""});
    report.add(message);
    report.add({"\n"});
    add_held(report);
    finish(report);
}

}  // namespace tern::locking
