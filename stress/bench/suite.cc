#include "stress/bench/suite.h"

#include "stress/bench/cell.h"
#include "stress/bench/measure.h"
#include "stress/bench/picture.h"
#include "stress/bench/report.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <sys/utsname.h>

namespace tern::bench {
namespace {

struct MachineTime {
    double busy = 0;  ///< seconds of all cores
    double all = 0;
};

/// The first line of /proc/stat: user nice system idle iowait irq softirq steal.
MachineTime machine_time() {
    constexpr double ticks_per_second = 100;
    MachineTime time;
    std::ifstream file("/proc/stat");
    std::string word;
    file >> word;
    for (int field = 0; field < 8; ++field) {
        double ticks = 0;
        file >> ticks;
        time.all += ticks / ticks_per_second;
        if (field != 3 && field != 4) time.busy += ticks / ticks_per_second;
    }
    return time;
}

/// How much of the machine others use while a row runs.
class Others {
  public:
    double share() const {
        const MachineTime now = machine_time();
        const double all = now.all - start_.all;
        const double others = now.busy - start_.busy - (cpu_seconds() - own_);
        return all <= 0 ? nothing : std::clamp(others / all, 0.0, 1.0);
    }

  private:
    MachineTime start_ = machine_time();
    double own_ = cpu_seconds();
};

/// A contestant that runs in this row; the first error takes it out.
struct Runner {
    const Contestant* contestant;
    Outcome outcome;
    double cores_sum = 0;
    std::string error;

    void step(const Row& row, bool counts) {
        if (!error.empty()) return;
        const Cell cell =
            row.own_process ? run_in_own_process(row, *contestant) : run_here(*contestant);
        error = cell.error;
        if (!error.empty() || !counts) return;
        outcome.values.push_back(cell.sample.value);
        if (cell.sample.tail == cell.sample.tail) outcome.tails.push_back(cell.sample.tail);
        cores_sum += cell.cores;
        outcome.cores = cores_sum / static_cast<double>(outcome.values.size());
    }
};

std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    }
    return "unknown";
}

Surroundings surroundings() {
    Surroundings where;
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[32];
    std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    where.date = text;
    where.processor = processor_name();
    where.cores = std::thread::hardware_concurrency();
    utsname system{};
    uname(&system);
    where.kernel = fmt::format("{} {}", system.sysname, system.release);
#ifdef __clang__
    where.compiler = "clang " __clang_version__;
#else
    where.compiler = "gcc " __VERSION__;
#endif
    return where;
}

std::string text_of(const std::vector<Result>& results) {
    std::string text;
    for (const Result& result : results)
        text += table_of(result) + '\n';
    return text + overview_of(results);
}

bool write_file(const std::filesystem::path& path, const std::string& content) {
    std::ofstream file(path);
    file << content;
    file.close();
    if (file) return true;
    fmt::print(stderr, "cannot write {}\n", path.string());
    return false;
}

}  // namespace

Result run_row(const Row& row, unsigned rounds) {
    Result result;
    result.row = row;
    result.absent = row.absent;
    std::vector<Runner> runners;
    for (const Contestant& contestant : row.contestants)
        runners.push_back({&contestant, {.name = contestant.name}, 0, {}});
    const Others others;
    for (unsigned round = 0; round <= rounds; ++round) {
        for (Runner& runner : runners)
            runner.step(row, round > 0);
    }
    result.others = others.share();
    const bool own_failed = runners.empty() || !runners.front().error.empty();
    for (Runner& runner : runners) {
        if (!runner.error.empty()) {
            result.absent.push_back({runner.contestant->name, runner.error});
        } else if (!own_failed) {
            result.outcomes.push_back(std::move(runner.outcome));
        }
    }
    conclude(result);
    return result;
}

Row& Suite::add(Row row) {
    rows_.push_back(std::move(row));
    return rows_.back();
}

const Row* Suite::find(std::string_view id) const {
    const auto found =
        std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.id == id; });
    return found == rows_.end() ? nullptr : &*found;
}

bool Suite::parse(int argc, char** argv, Options& options) const {
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--list") {
            options.list = true;
        } else if (word == "--rounds" && i + 1 < argc) {
            options.rounds = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
            if (options.rounds == 0) return false;
        } else if (word == "--output" && i + 1 < argc) {
            options.output = argv[++i];
        } else if (find(word) != nullptr) {
            options.rows.emplace_back(word);
        } else {
            fmt::print(stderr, "{} is neither an option nor a row; --list shows the rows\n", word);
            return false;
        }
    }
    return true;
}

int Suite::run_cell(int argc, char** argv) const {
    const Row* row = argc == 5 ? find(argv[2]) : nullptr;
    if (row == nullptr) return EXIT_FAILURE;
    for (const Contestant& contestant : row->contestants) {
        if (contestant.name == argv[3]) return cell_main(contestant, std::atoi(argv[4]));
    }
    return EXIT_FAILURE;
}

int Suite::list() const {
    for (const Row& row : rows_)
        fmt::print("{:<11}{:<16}{}\n", row.id, row.group, row.text);
    return EXIT_SUCCESS;
}

bool Suite::write_files(const std::vector<Result>& results, const std::string& directory) const {
    const std::filesystem::path folder(directory);
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    bool good = write_file(folder / (name_ + ".csv"), csv_of(results));
    good = write_file(folder / (name_ + ".txt"), text_of(results)) && good;
    good = write_file(folder / (name_ + ".md"), markdown_of(results)) && good;
    good = write_file(folder / (name_ + ".json"), json_of(results, surroundings())) && good;
    for (const std::string& group : groups_of(results)) {
        const std::filesystem::path path = folder / (name_ + "-" + file_name_of(group) + ".svg");
        good = write_file(path, picture_of(results, group)) && good;
        fmt::print("picture: {}\n", path.string());
    }
    return good;
}

int Suite::main(int argc, char** argv) {
    if (argc > 1 && std::strcmp(argv[1], "--cell") == 0) return run_cell(argc, argv);
    Options options;
    if (!parse(argc, argv, options)) {
        fmt::print(stderr, "usage: bench_{} [--rounds N] [--output DIRECTORY] [--list] [ROW...]\n",
                   name_);
        return 2;
    }
    if (options.list) return list();
    std::vector<Result> results;
    for (const Row& row : rows_) {
        const bool chosen =
            options.rows.empty() ||
            std::find(options.rows.begin(), options.rows.end(), row.id) != options.rows.end();
        if (!chosen) continue;
        results.push_back(run_row(row, options.rounds == 0 ? row.rounds : options.rounds));
        fmt::print("{}\n", table_of(results.back()));
        std::fflush(stdout);
    }
    fmt::print("{}\n", overview_of(results));
    const bool written = write_files(results, options.output);
    const bool failed = std::any_of(results.begin(), results.end(), [](const Result& result) {
        return result.verdict == Verdict::failed;
    });
    return written && !failed ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace tern::bench
