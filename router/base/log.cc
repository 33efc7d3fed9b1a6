#include "router/base/log.h"

#include <algorithm>

namespace tern {

namespace {

struct SeverityRow {
    std::string_view name;
    std::string_view tag;
    int priority;  // syslog(3): crit 2, err 3, warning 4, info 6, debug 7
};

constexpr SeverityRow severities[severity_count] = {
    {"debug", "DBG", 7},  {"trace", "TRACE", 7},  {"info", "INFO", 6},
    {"remote", "RMT", 3}, {"warning", "WARN", 4}, {"error", "ERR", 3},
    {"auth", "AUTH", 3},  {"fatal", "FATAL", 2},  {"bug", "BUG", 2},
};

// Each thread's number in log lines; 0 until the runtime says otherwise.
thread_local std::uint16_t thread_number = 0;

}  // namespace

std::string_view severity_name(Severity severity) {
    return severities[static_cast<unsigned>(severity)].name;
}

std::string_view severity_tag(Severity severity) {
    return severities[static_cast<unsigned>(severity)].tag;
}

int severity_priority(Severity severity) {
    return severities[static_cast<unsigned>(severity)].priority;
}

LogLimit::Verdict LogLimit::admit(loops::Instant now) {
    const std::int64_t elapsed_us = (now - last_).microseconds();
    const std::int64_t step_us = 1'000'000 / (per_second_ == 0 ? 1 : per_second_);
    if (elapsed_us >= step_us) {
        const std::int64_t fresh = elapsed_us / step_us;
        tokens_ = static_cast<unsigned>(std::min<std::int64_t>(burst_, tokens_ + fresh));
        last_ = now;
    }
    if (tokens_ > 0) {
        --tokens_;
        marked_ = false;
        return Verdict::pass;
    }
    ++dropped_;
    if (marked_) return Verdict::drop;
    marked_ = true;
    return Verdict::mark;
}

Logger::Logger(const loops::Clock& clock) : clock_(clock) {}

Logger::~Logger() = default;

void Logger::set_thread_number(std::uint16_t number) {
    thread_number = number;
}

void Logger::submit(Severity severity,
                    std::string_view category,
                    std::string_view object,
                    std::string_view text) {
    if (!enabled(severity)) return;
    const Record record{.time = clock_.wall_now(),
                        .severity = severity,
                        .thread = thread_number,
                        .category = category,
                        .object = object,
                        .text = text};
    counts_[static_cast<unsigned>(severity)].fetch_add(1, std::memory_order_relaxed);
    const auto guard = domain_.lock_dynamic();
    for (Target& target : targets_) {
        if ((target.mask & mask_of(severity)) != 0) target.sink->write(record);
    }
}

void Logger::add_sink(std::unique_ptr<LogSink> sink, SeverityMask mask) {
    const auto guard = domain_.lock_dynamic();
    for (Target& target : targets_) {
        if (target.sink->key() != sink->key()) continue;
        target.mask |= mask;
        update_wanted();
        return;
    }
    targets_.push_back({std::move(sink), mask});
    update_wanted();
}

void Logger::set_sinks(std::vector<Target> targets) {
    std::vector<Target> merged;
    {
        const auto guard = domain_.lock_dynamic();
        for (Target& wanted : targets) {
            const std::string key = wanted.sink->key();
            const auto same_key = [&key](const Target& t) {
                return t.sink && t.sink->key() == key;
            };
            const auto twin = std::find_if(merged.begin(), merged.end(), same_key);
            if (twin != merged.end()) {
                twin->mask |= wanted.mask;
                continue;
            }
            const auto old = std::find_if(targets_.begin(), targets_.end(), same_key);
            if (old != targets_.end()) std::swap(wanted.sink, old->sink);
            merged.push_back(std::move(wanted));
        }
        targets_.swap(merged);
        update_wanted();
    }
    // The sinks that are gone are closed here, outside of the domain.
}

void Logger::update_wanted() {
    SeverityMask wanted = 0;
    for (const Target& target : targets_)
        wanted |= target.mask;
    wanted_.store(wanted, std::memory_order_relaxed);
}

}  // namespace tern
