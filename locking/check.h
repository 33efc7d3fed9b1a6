#pragma once

/// Assertions that stay on in every build, and the only place of tern that aborts.
/// They exist because a route change applied half, or memory touched without its lock, is worse
/// than a restart. Anyone may call from any thread, holding anything: nothing here allocates,
/// locks or throws. It never handles wrong input; wrong input is a Result of the caller.
/// Process-wide by nature: one replaceable violation handler.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace tern::locking {

/// A place in the source; a value that borrows the name of the file, which is a literal. Clang 14
/// cannot compile libstdc++'s std::source_location, hence this one.
struct Here {
    const char* file = "";
    int line = 0;

    /// As a default argument it names the caller's place.
    static constexpr Here now(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
        return {file, line};
    }
};

/// One part of a failure message: text, a number or an address.
class TextPiece {
  public:
    /// Anything that is text; it must live until the report is written.
    template <std::convertible_to<std::string_view> S>
    constexpr TextPiece(const S& text) : text_(text) {}  // NOLINT(google-explicit-*)

    template <std::signed_integral N>
    constexpr TextPiece(N number)  // NOLINT(google-explicit-*)
        : kind_(number < 0 ? Kind::negative : Kind::number),
          number_(number < 0 ? 0 - static_cast<std::uint64_t>(number)
                             : static_cast<std::uint64_t>(number)) {}

    template <std::unsigned_integral N>
    constexpr TextPiece(N number) : kind_(Kind::number), number_(number) {}  // NOLINT

    TextPiece(const void* address)  // NOLINT
        : kind_(Kind::address), number_(reinterpret_cast<std::uintptr_t>(address)) {}

    /// Appends the text to `out`, at most `room` bytes; returns how many were written.
    std::size_t write(char* out, std::size_t room) const;

  private:
    enum class Kind : std::uint8_t { text, number, negative, address };
    Kind kind_ = Kind::text;
    std::string_view text_;
    std::uint64_t number_ = 0;
};

/// Text in a buffer of fixed size, for reports made where memory may be what is broken.
/// What does not fit is cut. The buffer is the caller's, and its text() lives as long.
class TextBuffer {
  public:
    explicit TextBuffer(std::span<char> room) : room_(room) {}

    void add(std::initializer_list<TextPiece> pieces) {
        for (const TextPiece& piece : pieces)
            length_ += piece.write(room_.data() + length_, room_.size() - length_);
    }

    std::string_view text() const { return {room_.data(), length_}; }

  private:
    std::span<char> room_;
    std::size_t length_ = 0;
};

/// Gets the whole report (place, message, held domains) before the process aborts.
/// It runs in the thread that failed, with whatever that thread holds. When it returns, the process
/// aborts anyway.
using ViolationHandler = void (*)(std::string_view report) noexcept;

/// The handler that is there from the start: the report to standard error, and a backtrace. A
/// handler that also tells others may call it.
void print_violation(std::string_view report) noexcept;

/// Replaces the handler and returns the previous one. Any thread, at any time.
ViolationHandler set_violation_handler(ViolationHandler handler) noexcept;

/// Reports a bug of the program and aborts. The report has the place, the message, the thread, and
/// the domains that it holds with the places where it took them.
[[noreturn, gnu::cold]] void fatal(Here where, std::initializer_list<TextPiece> message) noexcept;

/// The cold half of TERN_ASSERT: fatal() with the text of the condition before the message.
[[noreturn, gnu::cold]] void assertion_failed(Here where,
                                              const char* condition,
                                              std::initializer_list<TextPiece> message) noexcept;

}  // namespace tern::locking

/// Always on. Further arguments are pieces of text, numbers and addresses, joined as they are, and
/// looked at only if the condition is false:
/// TERN_ASSERT(a <= b, "a is ", a, ", b is ", b);
#define TERN_ASSERT(condition, ...)                                                      \
    do {                                                                                 \
        if (!(condition)) [[unlikely]] {                                                 \
            ::tern::locking::assertion_failed(::tern::locking::Here{__FILE__, __LINE__}, \
                                              #condition, {__VA_ARGS__});                \
        }                                                                                \
    } while (false)

/// For checks too dear for production; on unless NDEBUG is defined.
#ifdef NDEBUG
#define TERN_DEBUG_ASSERT(condition, ...) \
    do {                                  \
    } while (false)
#else
#define TERN_DEBUG_ASSERT(condition, ...) TERN_ASSERT(condition __VA_OPT__(, ) __VA_ARGS__)
#endif
