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
#include "locking/domain.h"

#include <unistd.h>

namespace tern::locking {

namespace {

// Process-wide: whoever embeds tern wants one place for all its bugs.
constinit std::atomic<ViolationHandler> violation_handler{nullptr};

/// A report in a fixed buffer: memory may be what is broken.
class Report {
  public:
    void add(const TextPiece& piece) {
        length_ += piece.write(text_.data() + length_, text_.size() - length_);
    }

    void add_place(Here where) {
        add(where.file);
        add(":");
        add(where.line);
    }

    std::string_view text() const { return {text_.data(), length_}; }

  private:
    std::array<char, 8192> text_;
    std::size_t length_ = 0;
};

void add_held(Report& report) {
    if (held_count() == 0) {
        report.add("this thread holds no domain");
    } else {
        report.add("this thread holds, outermost first:");
        for_each_held([&](const RankedLock& lock, Here where) {
            report.add("\n  ");
            report.add(lock.name());
            report.add(" (rank ");
            report.add(lock.rank());
            report.add(") taken at ");
            report.add_place(where);
        });
    }
    if (thread_state.in_read_section()) report.add("\nthis thread is in an RCU read section");
    report.add("\n");
}

void write_to_standard_error(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
        if (written <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void print_backtrace() {
#if __has_include(<execinfo.h>)
    std::array<void*, 48> frames;
    const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
    ::backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
#endif
}

[[noreturn]] void finish(const Report& report) {
    if (ViolationHandler handler = violation_handler.load(std::memory_order_acquire)) {
        handler(report.text());
    } else {
        write_to_standard_error(report.text());
        print_backtrace();
    }
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

ViolationHandler set_violation_handler(ViolationHandler handler) noexcept {
    return violation_handler.exchange(handler, std::memory_order_acq_rel);
}

void fatal(Here where, std::initializer_list<TextPiece> message) noexcept {
    Report report;
    report.add_place(where);
    report.add(": ");
    for (const TextPiece& piece : message) {
        report.add(piece);
    }
    report.add("\n");
    add_held(report);
    finish(report);
}

void assertion_failed(Here where,
                      const char* condition,
                      std::initializer_list<TextPiece> message) noexcept {
    Report report;
    report.add_place(where);
    report.add(": assertion failed: ");
    report.add(condition);
    if (message.size() != 0) report.add(": ");
    for (const TextPiece& piece : message) {
        report.add(piece);
    }
    report.add("\n");
    add_held(report);
    finish(report);
}

}  // namespace tern::locking
