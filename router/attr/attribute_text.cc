#include "router/attr/attribute_text.h"

#include "router/attr/as_path.h"
#include "router/attr/community_set.h"

#include <fmt/format.h>

namespace tern::attr {

namespace {

template <class View, class Append>
void append_list(std::string& out, const View& list, Append&& append) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (i != 0) out += ' ';
        append(out, list.at(i));
    }
}

}  // namespace

void append_octets(std::string& out, Bytes bytes) {
    fmt::format_to(std::back_inserter(out), "{:02x}", fmt::join(bytes, " "));
}

void append_octets_colon(std::string& out, Bytes bytes) {
    fmt::format_to(std::back_inserter(out), "{:02x}", fmt::join(bytes, ":"));
}

void append_communities(std::string& out, Bytes wire) {
    append_list(out, Communities(wire), append_community);
}

void append_extended_communities(std::string& out, Bytes wire) {
    append_list(out, ExtendedCommunities(wire), append_extended);
}

void append_large_communities(std::string& out, Bytes wire) {
    append_list(out, LargeCommunities(wire), append_large);
}

void append_attribute_value(std::string& out,
                            const AttributeDefinition* definition,
                            const AttributeRef& attribute) {
    if (definition != nullptr && definition->format != nullptr) {
        definition->format(out, attribute);
        return;
    }
    switch (attribute.type) {
        case ValueType::int_:
            fmt::format_to(std::back_inserter(out), "{}", attribute.word);
            return;
        case ValueType::quad:
            out += net::IpAddress::v4(attribute.word).to_string();
            return;
        case ValueType::ip:
            if (attribute.bytes.size() >= 4) out += attribute.ip().to_string();
            return;
        case ValueType::string:
            out += as_text(attribute.bytes);
            return;
        case ValueType::as_path:
            append_path_text(out, AsPathView(attribute.bytes));
            return;
        case ValueType::community_list:
            append_communities(out, attribute.bytes);
            return;
        case ValueType::extended_list:
            append_extended_communities(out, attribute.bytes);
            return;
        case ValueType::large_list:
            append_large_communities(out, attribute.bytes);
            return;
        case ValueType::opaque:
            append_octets(out, attribute.bytes);
            return;
        default:
            fmt::format_to(std::back_inserter(out), "<type {:02x}>",
                           static_cast<unsigned>(attribute.type));
    }
}

std::string attribute_name(const AttributeRegistry& registry, AttributeId id) {
    if (const AttributeDefinition* definition = registry.find(id)) {
        return std::string(definition->name);
    }
    if (id >= bgp_base && id < kernel_base)
        return fmt::format("bgp_unknown_{:#04x}", id - bgp_base);
    return fmt::format("unknown_{:#x}", id);
}

}  // namespace tern::attr
