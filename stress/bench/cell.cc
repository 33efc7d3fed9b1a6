#include "stress/bench/cell.h"

#include "stress/bench/measure.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace tern::bench {
namespace {

std::vector<std::string> environment_with(const std::string& preload) {
    std::vector<std::string> all;
    for (char** one = environ; *one != nullptr; ++one) {
        if (!std::string_view(*one).starts_with("LD_PRELOAD=")) all.emplace_back(*one);
    }
    if (!preload.empty()) all.push_back("LD_PRELOAD=" + preload);
    return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts)
        all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

std::string read_to_end(int descriptor) {
    std::string text;
    char buffer[256];
    for (ssize_t got = 0; (got = read(descriptor, buffer, sizeof(buffer))) > 0;)
        text.append(buffer, static_cast<std::size_t>(got));
    return text;
}

/// The loader only warns when a library to preload is missing, on a closed stderr: without this
/// look the C library would run under another's name.
bool is_loaded(const std::string& library) {
    void* handle = dlopen(library.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    if (handle != nullptr) dlclose(handle);
    return handle != nullptr;
}

Cell cell_of(const std::string& line, int status) {
    Cell cell;
    if (WIFSIGNALED(status)) {
        cell.error = fmt::format("ended by signal {}", WTERMSIG(status));
    } else if (std::sscanf(line.c_str(), "%lf %lf %lf", &cell.sample.value, &cell.sample.tail,
                           &cell.cores) != 3) {
        cell.error = line.empty() ? fmt::format("exit status {}", WEXITSTATUS(status)) : line;
    }
    return cell;
}

}  // namespace

Cell run_here(const Contestant& contestant) {
    Cell cell;
    const Company company;
    const double cpu_before = cpu_seconds();
    const Clock::time_point start = Clock::now();
    cell.sample = contestant.run();
    cell.cores = (cpu_seconds() - cpu_before) / (ns_since(start) * 1e-9);
    return cell;
}

Cell run_in_own_process(const Row& row, const Contestant& contestant) {
    Cell cell;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        cell.error = "no pipe";
        return cell;
    }
    constexpr int child_end = 3;
    std::vector<std::string> arguments{"bench", "--cell", row.id, contestant.name,
                                       std::to_string(child_end)};
    std::vector<std::string> environment = environment_with(contestant.preload);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], child_end);
    pid_t child = 0;
    const int error = posix_spawn(&child, "/proc/self/exe", &actions, nullptr,
                                  pointers_to(arguments).data(), pointers_to(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error != 0) {
        cell.error = "the program could not be started again";
    } else {
        const std::string line = read_to_end(ends[0]);
        int status = 0;
        waitpid(child, &status, 0);
        cell = cell_of(line, status);
    }
    close(ends[0]);
    return cell;
}

int cell_main(const Contestant& contestant, int descriptor) {
    if (!contestant.preload.empty() && !is_loaded(contestant.preload)) {
        dprintf(descriptor, "%s is not installed", contestant.preload.c_str());
        return EXIT_FAILURE;
    }
    alarm(cell_seconds_max);
    const Cell cell = run_here(contestant);
    dprintf(descriptor, "%.17g %.17g %.17g\n", cell.sample.value, cell.sample.tail, cell.cores);
    return EXIT_SUCCESS;
}

}  // namespace tern::bench
