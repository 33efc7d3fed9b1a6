#include "router/base/time_format.h"

#include <array>
#include <ctime>

#include <fmt/format.h>

namespace tern {

namespace {

constexpr std::int64_t us_per_s = 1'000'000;
constexpr std::int64_t short_limit_s = 72000;  // 20 hours: "today" for people
constexpr std::size_t cli_time_max = 32;

std::string_view digits_suffix(SubSecond digits) {
    switch (digits) {
        case SubSecond::none:
            return "";
        case SubSecond::milliseconds:
            return ".%3f";
        case SubSecond::microseconds:
            return ".%6f";
    }
    return "";
}

/// Replaces %f and %Nf by digits, so that strftime can do the rest.
std::string with_fraction(std::string_view format, std::int64_t fraction_us) {
    const std::string digits = fmt::format("{:06}", fraction_us);
    std::string out;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%' || i + 1 == format.size()) {
            out += format[i];
            continue;
        }
        const char next = format[i + 1];
        if (next == 'f') {
            out += digits;
            i += 1;
        } else if (next >= '1' && next <= '6' && i + 2 < format.size() && format[i + 2] == 'f') {
            out.append(digits, 0, static_cast<std::size_t>(next - '0'));
            i += 2;
        } else {
            out += '%';
            out += next;
            i += 1;
        }
    }
    return out;
}

}  // namespace

TimeFormat iso_long(SubSecond digits) {
    return {.recent = fmt::format("%F %T{}", digits_suffix(digits)), .limit_us = 0, .older = {}};
}

TimeFormat iso_short(SubSecond digits) {
    return {.recent = fmt::format("%T{}", digits_suffix(digits)),
            .limit_us = short_limit_s * us_per_s,
            .older = "%F"};
}

std::optional<std::string> expand_time(std::string_view format,
                                       loops::WallTime time,
                                       std::size_t size_max) {
    std::int64_t seconds = time.microseconds() / us_per_s;
    std::int64_t fraction = time.microseconds() % us_per_s;
    if (fraction < 0) {
        fraction += us_per_s;
        --seconds;
    }
    const std::time_t when = static_cast<std::time_t>(seconds);
    std::tm parts = {};
    if (localtime_r(&when, &parts) == nullptr) return std::nullopt;
    const std::string plain = with_fraction(format, fraction);
    if (plain.empty()) return std::string();
    std::array<char, 512> text;
    const std::size_t size = std::strftime(text.data(), text.size(), plain.c_str(), &parts);
    // A result of 0 is too long, or a format such as %p that expands to nothing.
    if (size == 0 || size >= size_max) return std::nullopt;
    return std::string(text.data(), size);
}

std::string format_time(const TimeFormat& format, loops::WallTime time, loops::WallTime now) {
    const bool old = format.limit_us > 0 && (now - time).microseconds() > format.limit_us;
    const std::optional<std::string> text =
        expand_time(old ? format.older : format.recent, time, cli_time_max);
    return text.value_or("<error>");
}

}  // namespace tern
