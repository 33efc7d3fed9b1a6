#pragma once

/// Times as text for CLI and log: strftime with sub-second digits and an optional second format
/// for old times, as `timeformat` configures it. Times are arguments: nothing
/// here reads a clock. Pure but for the local time zone.

#include "loops/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tern {

/// `"FMT1" LIMIT "FMT2"`: FMT2 is for times older than `limit_us`; without it FMT1 serves all.
struct TimeFormat {
    std::string recent;
    std::int64_t limit_us = 0;
    std::string older;

    friend bool operator==(const TimeFormat&, const TimeFormat&) = default;
};

enum class SubSecond : std::uint8_t { none, milliseconds, microseconds };

/// `iso long`: `%F %T` with wanted digits.
[[nodiscard]] TimeFormat iso_long(SubSecond digits);
/// `iso short`: time of day for the last 20 hours, otherwise the date.
[[nodiscard]] TimeFormat iso_short(SubSecond digits);

/// One strftime(3) format plus %f (6 digits) and %Nf (N = 1..6). Empty when the expansion does not
/// fit `size_max` bytes or the format is wrong.
[[nodiscard]] std::optional<std::string> expand_time(std::string_view format,
                                                     loops::WallTime time,
                                                     std::size_t size_max);

/// For CLI replies; `<error>` when the expansion is too long.
[[nodiscard]] std::string format_time(const TimeFormat& format,
                                      loops::WallTime time,
                                      loops::WallTime now);

}  // namespace tern
