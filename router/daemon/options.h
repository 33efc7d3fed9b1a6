#pragma once
/// The command line of `ternd`: the options of `bird`, with its meanings and exit statuses.
/// Pure: strings in, values or a text for the user out. Used once by main().
/// It opens nothing.

#include <optional>
#include <span>
#include <string>

namespace tern::daemon {

struct Options {
    std::string program = "ternd";  ///< base name of argv[0]
    std::string config_file = "/etc/bird/bird.conf";
    std::string control_socket = "/run/bird/bird.ctl";
    std::string pid_file;
    std::string debug_file;  ///< `-D`
    std::string user;
    std::string group;
    bool debug = false;       ///< `-d`: log to standard error, stay in the foreground
    bool foreground = false;  ///< `-f`
    bool parse_only = false;  ///< `-p`
    bool recovery = false;    ///< `-R`
};

/// What to do instead of running.
struct Exit {
    int status = 0;
    std::string text;  ///< for standard error
};

struct ParsedOptions {
    Options options;
    std::optional<Exit> exit;
};

[[nodiscard]] ParsedOptions parse_options(std::span<char* const> arguments);

}  // namespace tern::daemon
