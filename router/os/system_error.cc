#include "router/os/system_error.h"

#include <cstring>

#include <fmt/format.h>

namespace tern::os {

SystemError system_error(std::string_view step, int number) {
    char buffer[128] = {};
    // The GNU variant: returns the text, which need not be in the buffer.
    const char* text = strerror_r(number, buffer, sizeof buffer);
    return {number, fmt::format("{}: {}", step, text)};
}

tl::unexpected<SystemError> system_failure(std::string_view step, int number) {
    return tl::unexpected<SystemError>(system_error(step, number));
}

}  // namespace tern::os
