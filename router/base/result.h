#pragma once

/// Results of operations that can fail because of their input or the environment.
/// A Result is a value or an error, never both; it must be looked at (`[[nodiscard]]` callers).
/// Bugs are not reported here: they are assertions. No exceptions are involved; asking a failed
/// Result for its value aborts.

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace tern {

/// Place in a configuration text. Lines and columns count from 1; 0 means "unknown".
struct Position {
    std::uint32_t file = 0;
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    friend bool operator==(const Position&, const Position&) = default;

    [[nodiscard]] constexpr bool known() const { return line != 0; }
};

/// The usual error: a clear sentence without a final stop, and where it was found if known.
struct Error {
    std::string text;
    Position position = {};
};

template <class T, class E = Error>
using Result = tl::expected<T, E>;

/// Makes the failed side: `return fail("Invalid prefix length 33");`.
[[nodiscard]] inline tl::unexpected<Error> fail(std::string text) {
    return tl::unexpected<Error>(Error{std::move(text), {}});
}

[[nodiscard]] inline tl::unexpected<Error> fail_at(Position position, std::string text) {
    return tl::unexpected<Error>(Error{std::move(text), position});
}

/// For closed sets of errors: `return fail_with(OpenError::bad_version);`.
template <class E>
[[nodiscard]] tl::unexpected<std::decay_t<E>> fail_with(E&& error) {
    return tl::unexpected<std::decay_t<E>>(std::forward<E>(error));
}

}  // namespace tern
