#include "router/table/route_printer.h"

#include "router/attr/attribute_text.h"
#include "router/attr/core_attributes.h"

#include <fmt/format.h>

namespace tern::table {
namespace {

using cli::Audience;
using cli::Field;
using cli::ReplyCode;

attr::NextHopListView hops_of(const attr::AttributeList& attributes) {
    const auto found = attributes.find(attr::core::next_hop);
    return attr::NextHopListView(found ? found->bytes : Bytes{});
}

net::IpAddress from_of(const PrintedRoute& route) {
    const auto set = route.attributes.find(attr::core::from);
    return set ? set->ip() : route.owner.from();
}

std::uint32_t source_of(const PrintedRoute& route) {
    const auto set = route.attributes.find(attr::core::source);
    return set ? set->word : route.owner.source_kind();
}

std::string_view destination_of(const attr::AttributeList& attributes) {
    const attr::NextHopListView hops = hops_of(attributes);
    if (hops.present()) return attr::destination_name(hops.destination());
    return attributes.has(attr::core::recursive) ? "recursive" : "";
}

std::string label_text(const attr::LabelStack& labels) {
    std::string text;
    for (unsigned i = 0; i < labels.count; ++i) {
        text += i == 0 ? " mpls " : "/";
        text += fmt::format("{}", labels.labels[i]);
    }
    return text;
}

}  // namespace

std::string_view RoutePrinter::interface_name(std::uint32_t index) {
    const auto [found, fresh] = interfaces_.try_emplace(index);
    if (fresh) {
        const iface::InterfaceRef interface = services_.interfaces.find(index);
        found->second = interface ? interface->name : std::string("???");
    }
    return found->second;
}

std::string RoutePrinter::time_text(loops::Instant at) const {
    const loops::WallTime now = services_.clock.wall_now();
    return format_time(style_.time_format, now - (services_.clock.now() - at), now);
}

void RoutePrinter::print(cli::Output& out, const PrintedRoute& route) {
    out.begin("route");
    print_line(out, route);
    print_next_hops(out, route);
    if (style_.attributes) print_attributes(out, route);
    out.end();
}

void RoutePrinter::print_line(cli::Output& out, const PrintedRoute& route) {
    const std::string network = route.prefix.to_string();
    const net::IpAddress from = from_of(route);
    const attr::NextHopListView hops = hops_of(route.attributes);
    const bool known = hops.count() != 0 && hops.front().gateway == from;
    const std::string from_text =
        from.is_zero() || known ? std::string() : " from " + from.to_string();
    const bool failed = route.route.has(route_not_synced);
    const std::string_view flag = !route.best ? "" : failed ? " !" : " *";
    RouteValue shown = route.route;
    shown.preference = route.preference;
    const std::string info = route.owner.route_class().info(shown, route.owner.original());
    out.line(ReplyCode::route,
             "{shown_network:<20} {destination} [{protocol} {since}{from_text}]{flag}{info_text}",
             {Field{"shown_network", route.with_network ? std::string_view(network) : "",
                    Audience::text_only},
              Field{"network", network}, Field{"destination", destination_of(route.attributes)},
              Field{"protocol", route.owner.protocol_name()},
              Field{"since", time_text(route.route.time())},
              Field{"from_text", from_text, Audience::text_only},
              Field{"flag", flag, Audience::text_only}, Field{"primary", route.best},
              Field{"sync_error", failed},
              Field{"info_text", info.empty() ? std::string() : " " + info, Audience::text_only},
              Field{"info", info}});
    if (!from.is_zero()) out.fields({Field{"from", from.to_string()}});
}

void RoutePrinter::print_hop(cli::Output& out, const attr::NextHop& hop, bool with_weight) {
    const std::string labels = label_text(hop.labels);
    const std::string_view onlink = hop.onlink ? " onlink" : "";
    const std::string weight = with_weight ? fmt::format(" weight {}", hop.weight) : std::string();
    const std::string_view interface = interface_name(hop.interface.value());
    out.begin("next_hops");
    if (hop.gateway.is_zero()) {
        out.line(ReplyCode::route, "\tdev {interface}{labels_text}{onlink_text}{weight_text}",
                 {Field{"interface", interface}, Field{"labels_text", labels, Audience::text_only},
                  Field{"onlink_text", onlink, Audience::text_only},
                  Field{"weight_text", weight, Audience::text_only}});
    } else {
        out.line(ReplyCode::route,
                 "\tvia {gateway} on {interface}{labels_text}{onlink_text}{weight_text}",
                 {Field{"gateway", hop.gateway.to_string()}, Field{"interface", interface},
                  Field{"labels_text", labels, Audience::text_only},
                  Field{"onlink_text", onlink, Audience::text_only},
                  Field{"weight_text", weight, Audience::text_only}});
    }
    if (hop.onlink) out.fields({Field{"onlink", true}});
    if (with_weight) out.fields({Field{"weight", hop.weight}});
    out.end();
}

void RoutePrinter::print_next_hops(cli::Output& out, const PrintedRoute& route) {
    const attr::NextHopListView hops = hops_of(route.attributes);
    if (hops.present()) {
        const bool several = hops.count() > 1;
        hops.for_each([&](const attr::NextHop& hop) { print_hop(out, hop, several); });
        return;
    }
    const auto found = route.attributes.find(attr::core::recursive);
    if (!found) return;
    const auto recursive = attr::RecursiveNextHop::decode(found->bytes);
    if (!recursive) return;
    const std::string link_local =
        recursive->link_local.is_zero() ? std::string() : " " + recursive->link_local.to_string();
    out.begin("next_hops");
    out.line(ReplyCode::route, "\tvia {gateway}{link_local}{labels_text}",
             {Field{"gateway", recursive->host.to_string()},
              Field{"link_local", link_local, Audience::text_only},
              Field{"labels_text", label_text(recursive->labels), Audience::text_only}});
    out.end();
}

void RoutePrinter::print_attribute(cli::Output& out, const attr::AttributeRef& attribute) {
    const attr::AttributeDefinition* definition = services_.attributes.find(attribute.id);
    if (definition != nullptr && has(definition->traits, attr::AttributeTraits::hidden)) return;
    std::string name;
    if (style_.v2_attributes) {
        if (definition == nullptr || definition->legacy_name.empty()) return;
        name = definition->legacy_name;
    } else {
        name = attr::attribute_name(services_.attributes, attribute.id);
    }
    value_.clear();
    attr::append_attribute_value(value_, definition, attribute);
    out.named_value(ReplyCode::route_attributes, name, value_);
}

/// Fields of the route stand among the attributes, in the order of ids.
void RoutePrinter::print_attributes(cli::Output& out, const PrintedRoute& route) {
    using attr::ValueType;
    const std::uint32_t source = source_of(route);
    if (style_.v2_attributes) {
        out.line(ReplyCode::route_details, "\tType: {type} univ",
                 {Field{"type", attr::route_origin_name(static_cast<attr::RouteOrigin>(source))}});
    }
    const net::IpAddress from = from_of(route);
    const auto from_bytes = from.to_bytes16();
    out.begin_object("attributes");
    const attr::AttributeRef fields[] = {
        {.id = attr::core::preference, .type = ValueType::int_, .word = route.preference},
        {.id = attr::core::from, .type = ValueType::ip, .bytes = from_bytes},
        {.id = attr::core::source, .type = ValueType::enum_rts, .word = source},
    };
    for (const attr::AttributeRef& field : fields) {
        if (field.id == attr::core::from && from.is_zero()) continue;
        if (field.id == attr::core::source && source == 0) continue;
        print_attribute(out, field);
    }
    route.attributes.for_each([&](const attr::AttributeRef& attribute) {
        if (attribute.id > attr::core::source) print_attribute(out, attribute);
    });
    out.end();
    if (style_.v2_attributes) return;
    out.line(ReplyCode::route_details,
             "\tInternal route handling values: {uses}L {generation}G {stale}S id {source_id}",
             {Field{"uses", route.route.attributes->uses(), Audience::text_only},
              Field{"generation", route.owner.generation(), Audience::text_only},
              Field{"stale", route.route.has(route_stale) ? 1 : 0, Audience::text_only},
              Field{"source_id", static_cast<std::uint32_t>(route.route.source)}});
}

}  // namespace tern::table
