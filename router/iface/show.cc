#include "router/iface/show.h"

#include <fmt/format.h>

namespace tern::iface {
namespace {

using cli::Field;
using cli::ReplyCode;

std::string address_text(const Address& address) {
    return fmt::format("{}/{}", address.ip.to_string(), address.prefix.length());
}

bool is_preferred(const Interface& interface, const Address& address) {
    return &address == interface.preferred(true) || &address == interface.preferred(false) ||
           &address == interface.link_local();
}

void show_address(const Interface& interface, const Address& address, cli::Output& out) {
    const std::string text = address_text(address);
    const std::string opposite =
        address.opposite.is_zero() ? std::string() : address.opposite.to_string();
    std::string tail;
    if (is_preferred(interface, address)) tail += "Preferred, ";
    if (address.secondary) tail += "Secondary, ";
    if (!opposite.empty()) tail += "opposite " + opposite + ", ";
    out.begin("addresses");
    out.line(ReplyCode::interface_address, "\t{address} ({tail}scope {scope})",
             {Field{"address", text}, Field{"tail", tail, cli::Audience::text_only},
              Field{"scope", net::scope_name(address.scope)}});
    out.fields({Field{"preferred", is_preferred(interface, address)},
                Field{"secondary", address.secondary}, Field{"opposite", opposite}});
    out.end();
}

void show_flags(const Interface& interface, cli::Output& out) {
    std::string flags = interface.multi_access() ? "MultiAccess" : "PtP";
    if (interface.broadcast) flags += " Broadcast";
    if (interface.multicast) flags += " Multicast";
    flags += interface.admin_up ? " AdminUp" : " AdminDown";
    flags += interface.link_up ? " LinkUp" : " LinkDown";
    if (interface.loopback) flags += " Loopback";
    if (interface.ignored()) flags += " Ignored";
    out.line(ReplyCode::interface_flags, "\t{flags} MTU={mtu}",
             {Field{"flags", flags}, Field{"mtu", interface.mtu}});
}

std::string master_text(const Interface& interface) {
    if (interface.master == 0) return {};
    if (interface.master_name.empty()) return fmt::format("#{}", interface.master);
    return interface.master_name;
}

std::string summary_address(const Address* address) {
    return address == nullptr ? std::string() : address_text(*address);
}

}  // namespace

void show_interfaces(const Registry& registry, cli::Output& out) {
    for (const InterfaceRef& ref : registry.all()) {
        const Interface& interface = *ref;
        const std::string master = master_text(interface);
        const std::string master_part = master.empty() ? std::string() : " master=" + master;
        out.begin("interface");
        out.line(ReplyCode::interface, "{name} {state} (index={index}{master_part})",
                 {Field{"name", interface.name}, Field{"state", interface.up() ? "up" : "down"},
                  Field{"index", interface.index},
                  Field{"master_part", master_part, cli::Audience::text_only}});
        out.fields({Field{"master", master}});
        show_flags(interface, out);
        for (const Address& address : interface.addresses)
            show_address(interface, address, out);
        out.end();
    }
}

void show_interface_summary(const Registry& registry, cli::Output& out) {
    out.text(ReplyCode::interface_summary_heading,
             "Interface  State  IPv4 address       IPv6 address");
    for (const InterfaceRef& ref : registry.all()) {
        const Interface& interface = *ref;
        out.begin("interface");
        out.line(ReplyCode::interface_summary, "{name:<10} {state:<6} {ip4:<18} {ip6}",
                 {Field{"name", interface.name}, Field{"state", interface.up() ? "up" : "down"},
                  Field{"ip4", summary_address(interface.preferred(true))},
                  Field{"ip6", summary_address(interface.preferred(false))}});
        out.end();
    }
}

}  // namespace tern::iface
