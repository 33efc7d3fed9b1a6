#include "router/attr/community_set.h"

#include "alloc/arena.h"

#include <fmt/format.h>

namespace tern::attr {

std::uint8_t* list_room(alloc::Arena& arena, std::size_t bytes) {
    return static_cast<std::uint8_t*>(arena.allocate(bytes + 1, 1));
}

void append_community(std::string& out, std::uint32_t community) {
    fmt::format_to(std::back_inserter(out), "({},{})", community >> 16, community & 0xffff);
}

void append_extended(std::string& out, std::uint64_t community) {
    const auto high = static_cast<std::uint32_t>(community >> 32);
    const auto low = static_cast<std::uint32_t>(community);
    const std::uint32_t type = high >> 16;
    const std::uint32_t form = type >> 8 & 0xbf;  // without the "not transitive" bit
    const auto at = std::back_inserter(out);
    if (form > 2) {
        fmt::format_to(at, "(generic, {:#x}, {:#x})", high, low);
        return;
    }
    const bool transitive = (type & 0x4000) == 0;
    if (transitive && (type & 0xff) == 2) {
        out += "(rt, ";
    } else if (transitive && (type & 0xff) == 3) {
        out += "(ro, ";
    } else {
        fmt::format_to(at, "(unknown {:#x}, ", type);
    }
    const std::uint32_t wide_key = high << 16 | low >> 16;
    if (form == 0) {
        fmt::format_to(at, "{}, {})", high & 0xffff, low);
    } else if (form == 1) {
        fmt::format_to(at, "{}, {})", net::IpAddress::v4(wide_key).to_string(), low & 0xffff);
    } else {
        fmt::format_to(at, "{}, {})", wide_key, low & 0xffff);
    }
}

void append_large(std::string& out, const LargeCommunity& community) {
    fmt::format_to(std::back_inserter(out), "({}, {}, {})", community.as, community.data1,
                   community.data2);
}

}  // namespace tern::attr
