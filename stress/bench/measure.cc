#include "stress/bench/measure.h"

#include "stress/bench/result.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <utility>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace tern::bench {
namespace {

double seconds_of(const rusage& usage) {
    const auto seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
    const auto micros = static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    return seconds + micros * 1e-6;
}

/// A number out of a file of the kernel about one thread; the text in front of it is given.
double number_in(const std::filesystem::path& path, const char* format) {
    std::FILE* file = std::fopen(path.c_str(), "r");
    if (file == nullptr) return 0;  // it has just ended
    std::array<char, 256> line;
    double number = 0;
    while (std::fgets(line.data(), line.size(), file) != nullptr) {
        if (std::sscanf(line.data(), format, &number) == 1) break;
    }
    std::fclose(file);
    return number;
}

}  // namespace

Sample of_latencies(std::vector<double> latencies) {
    const double tail = quantile(latencies, 0.99);
    return {quantile(std::move(latencies), 0.5), tail};
}

Company::Company()
    : thread_([this] {
          std::unique_lock lock(mutex_);
          leave_.wait(lock, [this] { return leaving_; });
      }) {}

Company::~Company() {
    {
        const std::lock_guard lock(mutex_);
        leaving_ = true;
    }
    leave_.notify_one();
    thread_.join();
}

double thread_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

ThreadCosts costs_of_other_threads() {
    ThreadCosts sum;
    const std::string own = std::to_string(gettid());
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
        if (thread.path().filename() == own) continue;
        sum.cpu_ns += number_in(thread.path() / "schedstat", "%lf");
        sum.wake_ups += number_in(thread.path() / "status", "voluntary_ctxt_switches: %lf");
    }
    return sum;
}

void pin_to_core(unsigned core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core % std::thread::hardware_concurrency(), &set);
    sched_setaffinity(0, sizeof(set), &set);
}

void unpin() {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (unsigned core = 0; core < std::thread::hardware_concurrency(); ++core)
        CPU_SET(core, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

double cpu_seconds() {
    rusage own{};
    rusage children{};
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    return seconds_of(own) + seconds_of(children);
}

double resident_mib() {
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr) return nothing;
    unsigned long all = 0;
    unsigned long resident = 0;
    const int fields = std::fscanf(file, "%lu %lu", &all, &resident);
    std::fclose(file);
    if (fields != 2) return nothing;
    return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1048576.0;
}

}  // namespace tern::bench
