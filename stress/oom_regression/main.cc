// oom_regression: cycles of much and little memory, and whether anything is left behind each time.
// See README.md beside it.

#include "stress/oom_regression/chart.h"
#include "stress/oom_regression/preload.h"
#include "stress/oom_regression/run.h"
#include "stress/oom_regression/trend.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/core.h>

namespace tern::oom {

Memory memory_of(long process) {
    Memory memory;
    std::ifstream statm(fmt::format("/proc/{}/statm", process));
    double pages = 0;
    statm >> pages;
    memory.mapped = pages * 4;
    std::ifstream rollup(fmt::format("/proc/{}/smaps_rollup", process));
    for (std::string word; rollup >> word;) {
        if (word == "Rss:" && rollup >> memory.resident) break;
    }
    return memory;
}

namespace {

constexpr std::string_view usage =
    "usage: oom_regression pages|threads|daemon [options]\n"
    "  --cycles N      cycles that count (150)\n"
    "  --warm-up N     cycles before them (10)\n"
    "  --seconds N     runs so long instead\n"
    "  --pages N       pages per cycle (60000)\n"
    "  --threads N     most threads at once (8)\n"
    "  --period N      operations between two looks at maintenance (1500)\n"
    "  --routes N      static routes of the daemon (3000000)\n"
    "  --bound KB      growth per cycle that is still none (1)\n"
    "  --malloc LIB    the same load on the malloc of LIB (libjemalloc.so.2, ...) or of glibc\n"
    "  --fault NAME    switches a known defect on: ignore_cold, lose_on_flush\n"
    "  --daemon PATH, --client PATH   ternd and ternc\n"
    "  --output PREFIX writes PREFIX.csv and PREFIX.svg\n"
    "Exit status: 0 flat, 1 growth, 2 wrong usage or no daemon.\n";

struct Flag {
    std::string_view name;
    std::size_t Options::*number = nullptr;
    std::string Options::*text = nullptr;
};

constexpr Flag flags[] = {
    {"--cycles", &Options::cycles},          {"--warm-up", &Options::warm_up},
    {"--seconds", &Options::seconds},        {"--pages", &Options::pages},
    {"--threads", &Options::threads},        {"--period", &Options::period},
    {"--routes", &Options::routes},          {"--fault", nullptr, &Options::fault},
    {"--daemon", nullptr, &Options::daemon}, {"--client", nullptr, &Options::client},
    {"--output", nullptr, &Options::output}, {"--malloc", nullptr, &Options::malloc},
};

template <class N>
bool parse(std::string_view text, N& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

bool set_flag(Options& options, std::string_view name, std::string_view value) {
    if (name == "--bound") return parse(value, options.bound_kb);
    for (const Flag& flag : flags) {
        if (flag.name != name) continue;
        if (flag.text != nullptr) options.*flag.text = value;
        return flag.text != nullptr ||
               (parse(value, options.*flag.number) && options.*flag.number != 0);
    }
    return false;
}

std::optional<Options> parse_options(int argc, char** argv) {
    Options options;
    if (argc < 2) return std::nullopt;
    const std::string_view mode = argv[1];
    if (mode == "threads") {
        options.mode = Mode::threads;
    } else if (mode == "daemon") {
        options.mode = Mode::daemon;
    } else if (mode != "pages") {
        return std::nullopt;
    }
    for (int i = 2; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (i + 1 == argc || !set_flag(options, name, argv[++i])) return std::nullopt;
    }
    const bool known =
        options.fault.empty() || options.fault == "ignore_cold" || options.fault == "lose_on_flush";
    const bool fits =
        options.malloc.empty() || (options.mode != Mode::daemon && options.fault.empty());
    if (!known || !fits || options.cycles < 3) return std::nullopt;
    return options;
}

std::unique_ptr<Workload> make(const Options& options) {
    switch (options.mode) {
        case Mode::pages:
            return make_pages(options);
        case Mode::threads:
            return make_threads(options);
        case Mode::daemon:
            return make_daemon(options);
    }
    return nullptr;
}

/// What was seen, cycle by cycle.
struct Series {
    std::vector<double> mapped;
    std::vector<double> resident;
};

/// Nothing if the load could not be done to its end.
std::optional<Series> run(Workload& workload, const Options& options) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    Series series;
    // All at once, or the books of the run would be growth.
    const std::size_t most = options.seconds == 0 ? options.warm_up + options.cycles : 1'000'000;
    series.mapped.assign(most, 0);
    series.resident.assign(most, 0);
    series.mapped.clear();
    series.resident.clear();
    for (;;) {
        const std::size_t done = series.mapped.size();
        const bool enough =
            options.seconds == 0
                ? done >= options.warm_up + options.cycles
                : done == most || (Clock::now() - start >= std::chrono::seconds(options.seconds) &&
                                   done >= options.warm_up + 3);
        if (enough) return series;
        const std::optional<Memory> memory = workload.cycle();
        if (!memory) return std::nullopt;
        series.mapped.push_back(memory->mapped);
        series.resident.push_back(memory->resident);
        if (done < 5 || done % 25 == 24) {
            fmt::print("cycle {:5}: {:9.0f} kB mapped, {:9.0f} kB resident\n", done + 1,
                       memory->mapped, memory->resident);
            std::fflush(stdout);
        }
    }
}

void write_files(const Options& options, const Series& series, std::span<const Curve> curves) {
    std::ofstream csv(options.output + ".csv");
    csv << "cycle,mapped_kb,resident_kb\n";
    for (std::size_t i = 0; i < series.mapped.size(); ++i) {
        csv << fmt::format("{},{:.0f},{:.0f}\n", i + 1, series.mapped[i], series.resident[i]);
    }
    constexpr std::array<std::string_view, 3> titles{"Pages alone", "Threads", "Daemon"};
    std::string title(titles[static_cast<std::size_t>(options.mode)]);
    if (!options.malloc.empty()) title += ", malloc of " + options.malloc;
    if (!options.fault.empty()) title += ", with the defect " + options.fault;
    std::ofstream(options.output + ".svg") << draw(title, curves);
}

int judge(const Options& options, const Series& series) {
    int growing = 0;
    std::array<Curve, 2> curves{Curve{"mapped", series.mapped, {}, options.warm_up + 1},
                                Curve{"resident", series.resident, {}, options.warm_up + 1}};
    for (Curve& curve : curves) {
        curve.trend = trend_of(curve.values.subspan(options.warm_up), options.warm_up + 1);
        const bool grows = curve.trend.grows(options.bound_kb);
        growing += grows ? 1 : 0;
        fmt::print("{:8}: {:+.3f} kB per cycle, 95 % confidence {:+.3f} to {:+.3f}: {}\n",
                   curve.name, curve.trend.slope, curve.trend.low(), curve.trend.high(),
                   grows ? "GROWS" : "flat");
    }
    if (!options.output.empty()) write_files(options, series, curves);
    return growing == 0 ? 0 : 1;
}

int main(int argc, char** argv) {
    const std::optional<Options> options = parse_options(argc, argv);
    if (!options) {
        fmt::print(stderr, "{}", usage);
        return 2;
    }
    if (!options->malloc.empty() && !run_under(options->malloc, argv)) return 2;
    const std::unique_ptr<Workload> workload = make(*options);
    if (!workload) return 2;
    const std::optional<Series> series = run(*workload, *options);
    return series ? judge(*options, *series) : 2;
}

}  // namespace
}  // namespace tern::oom

int main(int argc, char** argv) {
    return tern::oom::main(argc, argv);
}
