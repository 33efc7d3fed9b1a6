#include "stress/oom_regression/preload.h"

#include <cstdlib>
#include <fstream>

#include <fmt/core.h>
#include <unistd.h>

namespace tern::oom {

namespace {

constexpr const char* variable = "LD_PRELOAD";

bool is_loaded(const std::string& library) {
    const std::string name = library.substr(library.rfind('/') + 1);
    const std::string stem = name.substr(0, name.find(".so"));
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.find("/" + stem + ".so") != std::string::npos) return true;
    }
    return false;
}

}  // namespace

bool run_under(const std::string& library, char** argv) {
    const char* preloaded = std::getenv(variable);
    const std::string wanted = library == c_library ? "" : library;
    if (wanted != (preloaded == nullptr ? "" : preloaded)) {
        if (::setenv(variable, wanted.c_str(), 1) != 0) return false;
        ::execv("/proc/self/exe", argv);
        fmt::print(stderr, "cannot start again with {}\n", library);
        return false;
    }
    if (wanted.empty() || is_loaded(wanted)) return true;
    fmt::print(stderr, "{} was not loaded\n", library);
    return false;
}

}  // namespace tern::oom
