// Row P9: many timers of one loop against other loops' timers and a sorted map.

#include "loops/sim_clock.h"
#include "stress/bench/loops_fixture.h"
#include "stress/bench/measure.h"
#include "stress/bench/suite.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tern::bench {
namespace {

constexpr std::size_t timer_count = 1'000'000;
constexpr std::int64_t spread_us = 3'600'000'000;  // one hour
constexpr std::size_t extends = 1'000'000;

std::vector<std::int64_t> random_times(std::int64_t spread) {
    std::mt19937_64 random(1);
    std::vector<std::int64_t> times(timer_count);
    for (std::int64_t& time : times)
        time = 1000 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(spread));
    return times;
}

double per_timer(double ns) {
    return ns / static_cast<double>(timer_count);
}

template <class F>
double cpu_per_timer(F&& body) {
    return per_timer(ns_per_operation(1, body));
}

/// A million timers of each kind behind the same four verbs.
class TernTimers {
  public:
    TernTimers() : runtime_(options()), side_(runtime_.main_group(), "side") {
        for (std::size_t i = 0; i < timer_count; ++i)
            slots_[i].emplace(side_.loop, fired, this);
    }

    ~TernTimers() {
        const loops::LoopEntry entry(side_.loop);
        slots_.reset();
    }

    void insert(std::size_t i, std::int64_t us) { slots_[i]->at(start_ + loops::microseconds(us)); }

    void cancel(std::size_t i) { slots_[i]->stop(); }

    /// Lets all of them expire.
    void run(std::int64_t us) {
        clock_.advance_to(start_ + loops::microseconds(us));
        runtime_.run();
    }

    loops::Loop& loop() { return side_.loop; }

  private:
    loops::RuntimeOptions options() {
        loops::RuntimeOptions result;
        result.main_domain = &domain_;
        result.clock = &clock_;
        return result;
    }

    static void fired(void* context, loops::Turn&) {
        auto& self = *static_cast<TernTimers*>(context);
        if (++self.fired_ == timer_count) self.runtime_.quit();
    }

    locking::Domain<Main> domain_;
    loops::SimClock clock_;
    loops::Instant start_ = clock_.now();
    loops::Runtime runtime_;
    OwnLoop side_;
    std::size_t fired_ = 0;
    std::unique_ptr<std::optional<loops::Timer>[]> slots_ =
        std::make_unique<std::optional<loops::Timer>[]>(timer_count);
};

class AsioTimers {
  public:
    AsioTimers() {
        timers_.reserve(timer_count);
        for (std::size_t i = 0; i < timer_count; ++i)
            timers_.emplace_back(context_);
    }

    void insert(std::size_t i, std::int64_t us) {
        timers_[i].expires_at(start_ + std::chrono::microseconds(us));
        timers_[i].async_wait([this](const boost::system::error_code& error) { fired_ += !error; });
    }

    void cancel(std::size_t i) { timers_[i].cancel(); }

    void run(std::int64_t us) {
        while (std::chrono::steady_clock::now() < start_ + std::chrono::microseconds(us)) {
        }
        context_.run();
    }

  private:
    boost::asio::io_context context_{1};
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::vector<boost::asio::steady_timer> timers_;
    std::size_t fired_ = 0;
};

class MapTimers {
  public:
    MapTimers() : places_(timer_count) {}

    void insert(std::size_t i, std::int64_t us) { places_[i] = map_.emplace(us, i); }

    void cancel(std::size_t i) { map_.erase(places_[i]); }

    void run(std::int64_t us) {
        while (!map_.empty() && map_.begin()->first <= us) {
            fired_ += map_.begin()->second;
            map_.erase(map_.begin());
        }
        keep(fired_);
    }

  private:
    std::multimap<std::int64_t, std::size_t> map_;
    std::vector<std::multimap<std::int64_t, std::size_t>::iterator> places_;
    std::size_t fired_ = 0;
};

#ifdef TERN_BENCH_LIBUV
class UvTimers {
  public:
    UvTimers() : timers_(timer_count) {
        uv_loop_init(&loop_);
        for (uv_timer_t& timer : timers_) {
            uv_timer_init(&loop_, &timer);
            timer.data = this;
        }
        start_ms_ = uv_now(&loop_);
    }

    ~UvTimers() {
        for (uv_timer_t& timer : timers_)
            uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
        uv_run(&loop_, UV_RUN_DEFAULT);
        uv_loop_close(&loop_);
    }

    void insert(std::size_t i, std::int64_t us) {
        uv_timer_start(&timers_[i], fired, static_cast<std::uint64_t>(us / 1000), 0);
    }

    void cancel(std::size_t i) { uv_timer_stop(&timers_[i]); }

    void run(std::int64_t us) {
        const auto end = start_ms_ + static_cast<std::uint64_t>(us / 1000) + 2;
        while (uv_now(&loop_) < end)
            uv_update_time(&loop_);
        uv_run(&loop_, UV_RUN_DEFAULT);
    }

  private:
    static void fired(uv_timer_t* timer) { ++static_cast<UvTimers*>(timer->data)->fired_; }

    uv_loop_t loop_{};
    std::uint64_t start_ms_ = 0;
    std::vector<uv_timer_t> timers_;
    std::size_t fired_ = 0;
};
#endif

#ifdef TERN_BENCH_LIBEVENT
class LibeventTimers {
  public:
    LibeventTimers() : base_(event_base_new()) {
        events_.reserve(timer_count);
        for (std::size_t i = 0; i < timer_count; ++i)
            events_.push_back(evtimer_new(base_, fired, this));
    }

    ~LibeventTimers() {
        for (event* each : events_)
            event_free(each);
        event_base_free(base_);
    }

    void insert(std::size_t i, std::int64_t us) {
        const timeval delay{us / 1'000'000, us % 1'000'000};
        event_add(events_[i], &delay);
    }

    void cancel(std::size_t i) { event_del(events_[i]); }

    void run(std::int64_t us) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(us);
        while (std::chrono::steady_clock::now() < end) {
        }
        event_base_dispatch(base_);
    }

  private:
    static void fired(evutil_socket_t, short, void* self) {
        ++static_cast<LibeventTimers*>(self)->fired_;
    }

    event_base* base_;
    std::vector<event*> events_;
    std::size_t fired_ = 0;
};
#endif

/// tern's timers want the domain, which costs the same once for a million of them.
template <class T, class F>
auto within(T& timers, F&& body) {
    if constexpr (std::is_same_v<T, TernTimers>) {
        const loops::LoopEntry entry(timers.loop());
        return body();
    } else {
        return body();
    }
}

template <class T>
void insert_all(T& timers, const std::vector<std::int64_t>& times) {
    for (std::size_t i = 0; i < timer_count; ++i)
        timers.insert(i, times[i]);
}

template <class T>
Sample inserting() {
    T timers;
    const std::vector<std::int64_t> times = random_times(spread_us);
    return within(timers, [&] { return cpu_per_timer([&] { insert_all(timers, times); }); });
}

template <class T>
Sample cancelling() {
    T timers;
    const std::vector<std::int64_t> times = random_times(spread_us);
    return within(timers, [&] {
        insert_all(timers, times);
        return cpu_per_timer([&] {
            for (std::size_t i = 0; i < timer_count; ++i)
                timers.cancel(i);
        });
    });
}

/// Deadlines within a fifth of a second, so that peers with the machine's clock need not wait long.
template <class T>
Sample expiring() {
    constexpr std::int64_t span_us = 200'000;
    T timers;
    const std::vector<std::int64_t> times = random_times(span_us);
    within(timers, [&] { insert_all(timers, times); });
    const auto due = Clock::now() + std::chrono::microseconds(span_us + 2000);
    while (Clock::now() < due) {
    }
    return cpu_per_timer([&] { timers.run(span_us + 1000); });
}

/// A hold timer that each message sets anew, among a million others.
template <class T>
Sample extending() {
    T timers;
    const std::vector<std::int64_t> times = random_times(spread_us);
    return within(timers, [&] {
        insert_all(timers, times);
        std::int64_t us = spread_us / 2;
        return ns_per_operation(1,
                                [&] {
                                    for (std::size_t i = 0; i < extends; ++i) {
                                        if (!std::is_same_v<T, TernTimers>) timers.cancel(7);
                                        timers.insert(7, ++us);
                                    }
                                }) /
               static_cast<double>(extends);
    });
}

template <class T>
struct Kind {
    using Timers = T;
};

template <class F>
void add_contestants(Row& row, F run) {
    row.add("tern", [run] { return run(Kind<TernTimers>()); });
    row.add("asio", [run] { return run(Kind<AsioTimers>()); });
#ifdef TERN_BENCH_LIBUV
    row.add("libuv", [run] { return run(Kind<UvTimers>()); });
#else
    row.leave_out("libuv", "not installed");
#endif
#ifdef TERN_BENCH_LIBEVENT
    row.add("libevent", [run] { return run(Kind<LibeventTimers>()); });
#else
    row.leave_out("libevent", "not installed");
#endif
    row.add("std::multimap", [run] { return run(Kind<MapTimers>()); });
}

}  // namespace

void add_timer_rows(Suite& suite) {
    Row row{.group = "timers", .unit = "ns", .rounds = 7};
    row.id = "P9-insert";
    row.text = "insert a timer, up to 1 M of them";
    row.target = {.value = 20, .ratio = 0.7};
    add_contestants(suite.add(row),
                    [](auto kind) { return inserting<typename decltype(kind)::Timers>(); });
    row.id = "P9-cancel";
    row.text = "cancel one of 1 M timers";
    row.target = {.value = 20, .ratio = 0.2};
    add_contestants(suite.add(row),
                    [](auto kind) { return cancelling<typename decltype(kind)::Timers>(); });
    row.id = "P9-expire";
    row.text = "expire one of 1 M timers";
    row.target = {.value = 65, .ratio = 0.7};
    add_contestants(suite.add(row),
                    [](auto kind) { return expiring<typename decltype(kind)::Timers>(); });
    row.id = "P9-extend";
    row.text = "set a hold timer anew among 1 M timers";
    row.target = {.value = 3, .ratio = 0.1};
    add_contestants(suite.add(row),
                    [](auto kind) { return extending<typename decltype(kind)::Timers>(); });
}

}  // namespace tern::bench
