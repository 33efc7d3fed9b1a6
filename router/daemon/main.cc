// ternd: the routing daemon. The command line is bird's.

#include "router/daemon/daemon.h"
#include "router/daemon/options.h"
#include "router/os/heap.h"

#include <cstdio>

int main(int argc, char** argv) {
    const tern::daemon::ParsedOptions parsed =
        tern::daemon::parse_options({argv, static_cast<std::size_t>(argc)});
    if (parsed.exit) {
        std::fputs(parsed.exit->text.c_str(), stderr);
        return parsed.exit->status;
    }
    tern::os::map_large_blocks();
    tern::daemon::Daemon daemon(parsed.options);
    return daemon.run();
}
