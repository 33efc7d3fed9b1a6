#include "router/client/client.h"

#include <cstdio>
#include <string>
#include <string_view>

#include <unistd.h>

namespace {

constexpr const char* default_socket = "/run/bird/bird.ctl";

std::string_view base_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

struct Arguments {
    std::string socket = default_socket;
    tern::client::ClientOptions options;
    std::string command;
    bool one_shot = false;
};

bool parse_arguments(int argc, char** argv, Arguments& arguments) {
    int option = 0;
    while ((option = ::getopt(argc, argv, "s:vrlj")) >= 0) {
        switch (option) {
            case 's':
                arguments.socket = ::optarg;
                break;
            case 'v':
                arguments.options.verbose = true;
                break;
            case 'r':
                arguments.options.restricted = true;
                break;
            case 'l':
                // Only the default moves to the working directory, as in birdc.
                if (arguments.socket == default_socket) {
                    arguments.socket = base_name(default_socket);
                }
                break;
            case 'j':
                arguments.options.json = true;
                break;
            default:
                return false;
        }
    }
    arguments.one_shot = ::optind < argc;
    for (int i = ::optind; i < argc; ++i) {
        if (i > ::optind) arguments.command += ' ';
        arguments.command += argv[i];
    }
    // `ternc json show protocols` is `ternc -j show protocols`.
    if (arguments.command.starts_with(tern::client::json_prefix)) {
        arguments.command.erase(0, tern::client::json_prefix.size());
        arguments.options.json = true;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    using tern::client::ExitStatus;
    Arguments arguments;
    if (!parse_arguments(argc, argv, arguments)) {
        const std::string name(base_name(argv[0]));
        std::fprintf(stderr, "Usage: %s [-s <control-socket>] [-v] [-r] [-l] [-j]\n", name.c_str());
        return static_cast<int>(ExitStatus::failure);
    }
    tern::Result<tern::client::Connection> connection =
        tern::client::Connection::open(arguments.socket);
    if (!connection) {
        std::fprintf(stderr, "%s\n", connection.error().text.c_str());
        return static_cast<int>(ExitStatus::failure);
    }
    const bool terminal = ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
    tern::client::Client client(*connection, arguments.options, terminal && !arguments.one_shot);
    if (!client.start()) {
        std::fputs("Connection closed by server\n", stderr);
        return static_cast<int>(ExitStatus::failure);
    }
    if (arguments.one_shot) return static_cast<int>(client.run_one(arguments.command));
    return static_cast<int>(terminal ? client.run_interactive() : client.run_piped());
}
