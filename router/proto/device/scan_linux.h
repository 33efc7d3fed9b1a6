#pragma once
/// Netlink's links and addresses turned into the registry's values.
/// Pure functions over decoded messages, and one function that applies a raw message to an open
/// update. The caller owns sockets and the update; nothing is remembered between messages.

#include "router/iface/registry.h"
#include "router/os/netlink_codec.h"

#include <optional>

namespace tern::device {

[[nodiscard]] iface::LinkInfo link_info(const os::netlink::LinkMessage& message);
/// Nothing for addresses that cannot be used (yet): tentative and duplicate ones.
[[nodiscard]] std::optional<iface::Address> address_of(const os::netlink::AddressMessage& message);
/// Messages of other kinds, and those that cannot be decoded, change nothing.
void apply_message(Bytes message, iface::Registry::Update& update);

}  // namespace tern::device
