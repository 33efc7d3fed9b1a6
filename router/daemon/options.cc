#include "router/daemon/options.h"

#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

namespace tern::daemon {

namespace {

constexpr std::string_view help_text =
    "\n"
    "Options: \n"
    "  -c <config-file>     Use given configuration file instead of the default\n"
    "  -d                   Log to stderr and stay in the foreground\n"
    "  -D <debug-file>      Log debug messages to given file\n"
    "  -f                   Run in the foreground\n"
    "  -g <group>           Use given group ID\n"
    "  -h, --help           Display this information\n"
    "  -l                   Look for files in the current working directory\n"
    "  -p                   Test configuration file and exit without start\n"
    "  -P <pid-file>        Create a PID file with given filename\n"
    "  -R                   Apply graceful restart recovery after start\n"
    "  -s <control-socket>  Use given filename for a control socket\n"
    "  -u <user>            Drop privileges and use given user ID\n"
    "  --version            Display version\n";

std::string_view base_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string usage(std::string_view program) {
    return fmt::format("Usage: {} [--version] [--help] [-c <config-file>] [OPTIONS]\n", program);
}

/// One option; false if it is not known.
bool apply(Options& options, int letter, bool& local) {
    switch (letter) {
        case 'c':
            options.config_file = optarg;
            return true;
        case 'd':
            options.debug = true;
            return true;
        case 'D':
            options.debug_file = optarg;
            return true;
        case 'f':
            options.foreground = true;
            return true;
        case 'g':
            options.group = optarg;
            return true;
        case 'l':
            local = true;
            return true;
        case 'p':
            options.parse_only = true;
            return true;
        case 'P':
            options.pid_file = optarg;
            return true;
        case 'R':
            options.recovery = true;
            return true;
        case 's':
            options.control_socket = optarg;
            return true;
        case 'u':
            options.user = optarg;
            return true;
        default:
            return false;
    }
}

}  // namespace

ParsedOptions parse_options(std::span<char* const> arguments) {
    ParsedOptions parsed;
    Options& options = parsed.options;
    options.program = std::string(base_name(arguments[0]));
    if (arguments.size() == 2) {
        const std::string_view only = arguments[1];
        if (only == "--version") {
            parsed.exit = {0, "BIRD version 3.3.2\n"};
            return parsed;
        }
        if (only == "--help") {
            parsed.exit = {0, usage(options.program) + std::string(help_text)};
            return parsed;
        }
    }
    optind = 1;
    opterr = 0;
    bool socket_given = false;
    bool config_given = false;
    for (;;) {
        const int letter =
            getopt(static_cast<int>(arguments.size()), arguments.data(), "c:dD:ps:P:u:g:flRh");
        if (letter == -1) break;
        bool local = false;
        if (letter == 'h') {
            parsed.exit = {0, usage(options.program) + std::string(help_text)};
            return parsed;
        }
        if (!apply(options, letter, local)) {
            parsed.exit = {1, usage(options.program)};
            return parsed;
        }
        socket_given = socket_given || letter == 's';
        config_given = config_given || letter == 'c';
        if (local && !config_given) options.config_file = base_name(options.config_file);
        if (local && !socket_given) options.control_socket = base_name(options.control_socket);
    }
    if (optind < static_cast<int>(arguments.size())) parsed.exit = {1, usage(options.program)};
    return parsed;
}

}  // namespace tern::daemon
