#include "router/proto/bgp/wire/family.h"

#include <fmt/format.h>

namespace tern::bgp::wire {

std::string family_name(Family family) {
    if (const FamilyRow* row = find_family(family)) return std::string(row->name);
    return fmt::format("<{}/{}>", family.afi, family.safi);
}

}  // namespace tern::bgp::wire
