#include "router/os/host.h"

#include <sys/utsname.h>

namespace tern::os {

std::string host_name() {
    struct utsname names = {};
    if (::uname(&names) != 0 || names.nodename[0] == '\0') return "unknown";
    return names.nodename;
}

}  // namespace tern::os
