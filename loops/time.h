#pragma once

/// Time as the toolkit counts it: whole microseconds in strong types.
/// Instant is monotonic and has no calendar; WallTime is what people read. Code that decides takes
/// `now` as an argument; only loops and edges own a Clock, so simulation can put virtual time in.
/// Values are plain and belong to nobody. Adding to a Duration or an Instant saturates at
/// `infinite` or `never`; no other arithmetic looks for overflow.

#include <compare>
#include <cstdint>
#include <limits>

namespace tern::loops {

/// A signed span of time: 292,000 years either way.
class Duration {
  public:
    constexpr Duration() = default;

    static constexpr Duration from_microseconds(std::int64_t count) { return Duration(count); }

    static constexpr Duration from_milliseconds(std::int64_t count) {
        return Duration(count * 1000);
    }

    static constexpr Duration from_seconds(std::int64_t count) {
        return Duration(count * 1'000'000);
    }

    static constexpr Duration infinite() {
        return Duration(std::numeric_limits<std::int64_t>::max());
    }

    constexpr std::int64_t microseconds() const { return us_; }

    constexpr std::int64_t milliseconds() const { return us_ / 1000; }

    constexpr std::int64_t seconds() const { return us_ / 1'000'000; }

    constexpr bool is_infinite() const { return us_ == infinite().us_; }

    constexpr bool is_zero() const { return us_ == 0; }

    constexpr auto operator<=>(const Duration&) const = default;

    constexpr Duration operator+(Duration other) const {
        std::int64_t sum = 0;
        if (__builtin_add_overflow(us_, other.us_, &sum)) return infinite();
        return Duration(sum);
    }

    constexpr Duration operator-(Duration other) const { return Duration(us_ - other.us_); }

    constexpr Duration operator-() const { return Duration(-us_); }

    constexpr Duration operator*(std::int64_t factor) const { return Duration(us_ * factor); }

    constexpr Duration operator/(std::int64_t divisor) const { return Duration(us_ / divisor); }

    constexpr std::int64_t operator/(Duration other) const { return us_ / other.us_; }

    constexpr Duration& operator+=(Duration other) { return *this = *this + other; }

    constexpr Duration& operator-=(Duration other) { return *this = *this - other; }

  private:
    explicit constexpr Duration(std::int64_t us) : us_(us) {}

    std::int64_t us_ = 0;
};

/// These three write a Duration shortly.
constexpr Duration microseconds(std::int64_t count) {
    return Duration::from_microseconds(count);
}

constexpr Duration milliseconds(std::int64_t count) {
    return Duration::from_milliseconds(count);
}

constexpr Duration seconds(std::int64_t count) {
    return Duration::from_seconds(count);
}

/// A point on the monotonic clock; zero means "no time yet".
class Instant {
  public:
    constexpr Instant() = default;

    static constexpr Instant from_microseconds(std::int64_t count) { return Instant(count); }

    /// Later than every other instant.
    static constexpr Instant never() { return Instant(std::numeric_limits<std::int64_t>::max()); }

    constexpr std::int64_t microseconds() const { return us_; }

    constexpr bool is_never() const { return us_ == never().us_; }

    constexpr bool is_zero() const { return us_ == 0; }

    constexpr auto operator<=>(const Instant&) const = default;

    constexpr Instant operator+(Duration span) const {
        std::int64_t sum = 0;
        if (__builtin_add_overflow(us_, span.microseconds(), &sum)) return never();
        return Instant(sum);
    }

    constexpr Instant operator-(Duration span) const { return Instant(us_ - span.microseconds()); }

    constexpr Duration operator-(Instant other) const {
        return Duration::from_microseconds(us_ - other.us_);
    }

    constexpr Instant& operator+=(Duration span) { return *this = *this + span; }

  private:
    explicit constexpr Instant(std::int64_t us) : us_(us) {}

    std::int64_t us_ = 0;
};

/// Microseconds since 1970-01-01 00:00:00 UTC.
class WallTime {
  public:
    constexpr WallTime() = default;

    static constexpr WallTime from_microseconds(std::int64_t count) { return WallTime(count); }

    constexpr std::int64_t microseconds() const { return us_; }

    constexpr std::int64_t seconds() const { return us_ / 1'000'000; }

    constexpr auto operator<=>(const WallTime&) const = default;

    constexpr WallTime operator+(Duration span) const {
        return WallTime(us_ + span.microseconds());
    }

    constexpr WallTime operator-(Duration span) const {
        return WallTime(us_ - span.microseconds());
    }

    constexpr Duration operator-(WallTime other) const {
        return Duration::from_microseconds(us_ - other.us_);
    }

  private:
    explicit constexpr WallTime(std::int64_t us) : us_(us) {}

    std::int64_t us_ = 0;
};

/// Where time comes from. Callable from any thread, never waits.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;
    virtual WallTime wall_now() const = 0;
};

/// The clock of the machine (CLOCK_MONOTONIC and CLOCK_REALTIME, no system call where the kernel
/// maps them).
class SteadyClock final : public Clock {
  public:
    Instant now() const override;
    WallTime wall_now() const override;
};

/// For constants: `500_us`, `20_ms`, `3_s`.
namespace literals {

consteval Duration operator""_us(unsigned long long count) {
    return Duration::from_microseconds(static_cast<std::int64_t>(count));
}

consteval Duration operator""_ms(unsigned long long count) {
    return Duration::from_milliseconds(static_cast<std::int64_t>(count));
}

consteval Duration operator""_s(unsigned long long count) {
    return Duration::from_seconds(static_cast<std::int64_t>(count));
}

}  // namespace literals

}  // namespace tern::loops
