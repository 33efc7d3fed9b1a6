#pragma once

/// The log of one router: records with severity and object, delivered to sinks.
/// One Logger per router, handed by reference to all that log; usable from any thread under any
/// domain of the router (level log is the last). Text is made only if some sink wants the class.
/// It never calls its users, never fails to its caller, and never drops silently: a rate limit
/// marks where it cut.

#include "locking/domain.h"
#include "loops/time.h"
#include "router/base/lock_order.h"
#include "router/base/result.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace tern {

/// Log classes in the order of the configuration's list.
enum class Severity : std::uint8_t { debug, trace, info, remote, warning, error, auth, fatal, bug };

inline constexpr unsigned severity_count = 9;

/// Set of severities: bit 1 << severity.
using SeverityMask = std::uint16_t;

inline constexpr SeverityMask all_severities = (1U << severity_count) - 1;

[[nodiscard]] constexpr SeverityMask mask_of(Severity severity) {
    return static_cast<SeverityMask>(1U << static_cast<unsigned>(severity));
}

/// Word in the configuration: "warning".
[[nodiscard]] std::string_view severity_name(Severity severity);
/// In angle brackets in log lines: "WARN".
[[nodiscard]] std::string_view severity_tag(Severity severity);
/// syslog(3) priority without facility.
[[nodiscard]] int severity_priority(Severity severity);

struct Record {
    loops::WallTime time;
    Severity severity = Severity::info;
    std::uint16_t thread = 0;   ///< number as in `show threads`; 0 is the main thread
    std::string_view category;  ///< which part of the program; not printed in lines
    std::string_view object;    ///< protocol, table, interface; printed as `object: text`
    std::string_view text;
};

/// One destination. Calls come one at a time, under the logger's domain.
class LogSink {
  public:
    virtual ~LogSink() = default;
    virtual void write(const Record& record) = 0;
    /// Two sinks with the same key are one: the configuration merges their masks.
    [[nodiscard]] virtual std::string key() const = 0;
};

/// Lets `burst` messages through at once and `per_second` on average; the first one refused is
/// marked by ` ...`. One object per place that may repeat; used by one loop.
class LogLimit {
  public:
    LogLimit(unsigned per_second, unsigned burst)
        : per_second_(per_second), tokens_(burst), burst_(burst) {}

    enum class Verdict : std::uint8_t { pass, mark, drop };
    Verdict admit(loops::Instant now);

    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  private:
    unsigned per_second_;
    unsigned tokens_;
    unsigned burst_;
    bool marked_ = false;
    loops::Instant last_;
    std::uint64_t dropped_ = 0;
};

class Logger {
  public:
    /// The clock must outlive the logger.
    explicit Logger(const loops::Clock& clock);
    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;
    ~Logger();

    /// Whether some sink wants it; ask before preparing arguments that cost.
    [[nodiscard]] bool enabled(Severity severity) const {
        return (wanted_.load(std::memory_order_relaxed) & mask_of(severity)) != 0;
    }

    template <class... A>
    void log(Severity severity,
             std::string_view object,
             fmt::format_string<A...> format,
             A&&... arguments) {
        if (!enabled(severity)) return;
        fmt::memory_buffer text;
        fmt::format_to(fmt::appender(text), format, std::forward<A>(arguments)...);
        submit(severity, {}, object, {text.data(), text.size()});
    }

    template <class... A>
    void log_limited(LogLimit& limit,
                     Severity severity,
                     std::string_view object,
                     fmt::format_string<A...> format,
                     A&&... arguments) {
        if (!enabled(severity)) return;
        const LogLimit::Verdict verdict = limit.admit(clock_.now());
        if (verdict == LogLimit::Verdict::drop) return;
        fmt::memory_buffer text;
        fmt::format_to(fmt::appender(text), format, std::forward<A>(arguments)...);
        if (verdict == LogLimit::Verdict::mark) text.append(std::string_view(" ..."));
        submit(severity, {}, object, {text.data(), text.size()});
    }

    /// A finished text.
    void submit(Severity severity,
                std::string_view category,
                std::string_view object,
                std::string_view text);

    /// The number printed for the calling thread; the runtime sets it once per thread.
    static void set_thread_number(std::uint16_t number);

    void add_sink(std::unique_ptr<LogSink> sink, SeverityMask mask);

    struct Target {
        std::unique_ptr<LogSink> sink;
        SeverityMask mask;
    };

    /// Replaces all sinks at once; a sink whose key stays keeps its open state.
    void set_sinks(std::vector<Target> targets);

    /// Messages delivered to at least one sink, by class.
    [[nodiscard]] std::uint64_t count(Severity severity) const {
        return counts_[static_cast<unsigned>(severity)].load(std::memory_order_relaxed);
    }

  private:
    void update_wanted();

    const loops::Clock& clock_;
    std::atomic<SeverityMask> wanted_{0};
    std::atomic<std::uint64_t> counts_[severity_count] = {};
    locking::Domain<level::Log> domain_;
    std::vector<Target> targets_;  // guarded by domain_
};

}  // namespace tern
