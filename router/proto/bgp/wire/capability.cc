#include "router/proto/bgp/wire/capability.h"

#include <algorithm>

namespace tern::bgp::wire {

namespace {

constexpr std::uint16_t restart_time_mask = 0x0fff;
constexpr std::uint16_t restarting_bit = 0x8000;
constexpr std::uint16_t notification_bit = 0x4000;
constexpr std::uint8_t preserved_bit = 0x80;

/// Inserts keeping order; a repeated entry of the same family replaces the former one.
template <class Entry>
void insert_family(std::vector<Entry>& list, const Entry& entry) {
    const auto at =
        std::lower_bound(list.begin(), list.end(), entry,
                         [](const Entry& a, const Entry& b) { return a.family < b.family; });
    if (at != list.end() && at->family == entry.family) {
        *at = entry;
    } else {
        list.insert(at, entry);
    }
}

void insert_sorted(std::vector<Family>& list, Family family) {
    const auto at = std::lower_bound(list.begin(), list.end(), family);
    if (at == list.end() || *at != family) list.insert(at, family);
}

void insert_sorted(std::vector<NextHopFamily>& list, NextHopFamily entry) {
    const auto at = std::lower_bound(list.begin(), list.end(), entry);
    if (at == list.end() || *at != entry) list.insert(at, entry);
}

Family read_family(Reader& reader) {
    const std::uint16_t afi = reader.u16();
    return Family{afi, reader.u8()};
}

// RFC 4760 section 8: AFI, reserved octet, SAFI.
bool decode_multiprotocol(Reader reader, Capabilities& out) {
    const std::uint16_t afi = reader.u16();
    reader.skip(1);
    const Family family{afi, reader.u8()};
    if (!reader.complete()) return false;
    insert_sorted(out.multiprotocol, family);
    return true;
}

// RFC 8950 section 4: AFI, SAFI of two octets, next hop AFI.
bool decode_next_hop(Reader reader, Capabilities& out) {
    while (!reader.at_end()) {
        const std::uint16_t afi = reader.u16();
        const std::uint16_t safi = reader.u16();
        const std::uint16_t next_hop_afi = reader.u16();
        if (!reader.ok()) return false;
        if (safi > 0xff) continue;
        insert_sorted(out.extended_next_hop,
                      {Family{afi, static_cast<std::uint8_t>(safi)}, next_hop_afi});
    }
    return reader.ok();
}

// RFC 4724 section 3.
bool decode_graceful(Reader reader, Capabilities& out) {
    GracefulRestart graceful;
    const std::uint16_t flags = reader.u16();
    graceful.restarting = (flags & restarting_bit) != 0;
    graceful.notification = (flags & notification_bit) != 0;
    graceful.restart_time = flags & restart_time_mask;
    while (reader.ok() && !reader.at_end()) {
        const Family family = read_family(reader);
        const bool preserved = (reader.u8() & preserved_bit) != 0;
        if (reader.ok()) insert_family(graceful.families, GracefulFamily{family, preserved});
    }
    if (!reader.ok()) return false;
    // RFC 4724 section 3: of several instances the last one counts.
    out.graceful_restart = std::move(graceful);
    return true;
}

// RFC 9494 section 3.1.
bool decode_long_lived(Reader reader, Capabilities& out) {
    std::vector<LongLivedFamily> families;
    while (reader.ok() && !reader.at_end()) {
        const Family family = read_family(reader);
        const bool preserved = (reader.u8() & preserved_bit) != 0;
        const std::uint32_t stale_time = reader.u24();
        if (reader.ok()) insert_family(families, LongLivedFamily{family, preserved, stale_time});
    }
    if (!reader.ok()) return false;
    out.long_lived = std::move(families);
    return true;
}

// RFC 7911 section 4: an entry whose mode is not 1..3 is ignored.
bool decode_add_path(Reader reader, Capabilities& out) {
    while (!reader.at_end()) {
        const Family family = read_family(reader);
        const std::uint8_t mode = reader.u8();
        if (!reader.ok()) return false;
        if (mode < 1 || mode > 3) continue;
        insert_family(out.add_path, AddPathFamily{family, (mode & 1) != 0, (mode & 2) != 0});
    }
    return reader.ok();
}

bool decode_role(Reader reader, Capabilities& out) {
    const std::uint8_t value = reader.u8();
    if (!reader.complete()) return false;
    if (value > static_cast<std::uint8_t>(Role::peer)) {
        out.role_conflict = true;
        return true;
    }
    const Role role = static_cast<Role>(value);
    if (out.role && *out.role != role) out.role_conflict = true;
    out.role = role;
    return true;
}

// draft-walton-bgp-hostname-capability: host name and domain name, each with a length octet. The
// name is for display only, so a strange one is no reason to refuse the session.
bool decode_hostname(Reader reader, Capabilities& out) {
    const std::uint8_t length = reader.u8();
    const Bytes name = reader.take(length);
    if (!reader.ok()) return true;
    out.hostname.clear();
    for (std::uint8_t c : name) {
        const bool printable = c > 0x20 && c < 0x7f;
        out.hostname.push_back(printable ? static_cast<char>(c) : '?');
    }
    return true;
}

bool decode_as4(Reader reader, Capabilities& out) {
    const std::uint32_t value = reader.u32();
    if (!reader.complete()) return false;
    out.as4 = value;
    return true;
}

bool decode_one(std::uint8_t code, Reader value, Capabilities& out) {
    switch (static_cast<CapabilityCode>(code)) {
        case CapabilityCode::multiprotocol:
            return decode_multiprotocol(value, out);
        case CapabilityCode::route_refresh:
            out.route_refresh = true;
            return value.at_end();
        case CapabilityCode::extended_next_hop:
            return decode_next_hop(value, out);
        case CapabilityCode::extended_message:
            // RFC 8654 section 3: a length that is not zero is ignored.
            out.extended_message = true;
            return true;
        case CapabilityCode::role:
            return decode_role(value, out);
        case CapabilityCode::graceful_restart:
            return decode_graceful(value, out);
        case CapabilityCode::as4:
            return decode_as4(value, out);
        case CapabilityCode::add_path:
            return decode_add_path(value, out);
        case CapabilityCode::enhanced_refresh:
            out.enhanced_refresh = true;
            return value.at_end();
        case CapabilityCode::long_lived_graceful_restart:
            return decode_long_lived(value, out);
        case CapabilityCode::hostname:
            return decode_hostname(value, out);
    }
    return true;  // RFC 5492 section 3: unknown capabilities are ignored.
}

/// Appends capabilities; each starts with `open` and gets its length at `close`.
class ListWriter {
  public:
    void open(CapabilityCode code) {
        out_.push_back(static_cast<std::uint8_t>(code));
        out_.push_back(0);
        start_ = out_.size();
    }

    void close() { out_[start_ - 1] = static_cast<std::uint8_t>(out_.size() - start_); }

    /// Whether `count` more octets fit into the open capability.
    [[nodiscard]] bool fits(std::size_t count) const {
        return out_.size() - start_ + count <= 0xff;
    }

    void u8(std::uint8_t v) { out_.push_back(v); }

    void u16(std::uint16_t v) {
        u8(static_cast<std::uint8_t>(v >> 8));
        u8(static_cast<std::uint8_t>(v));
    }

    void u32(std::uint32_t v) {
        u16(static_cast<std::uint16_t>(v >> 16));
        u16(static_cast<std::uint16_t>(v));
    }

    void family(Family f) {
        u16(f.afi);
        u8(f.safi);
    }

    void flag(CapabilityCode code) {
        open(code);
        close();
    }

    std::vector<std::uint8_t> take() { return std::move(out_); }

  private:
    std::vector<std::uint8_t> out_ = {};
    std::size_t start_ = 0;
};

void put_graceful(ListWriter& writer, const GracefulRestart& graceful) {
    writer.open(CapabilityCode::graceful_restart);
    std::uint16_t flags = graceful.restart_time & restart_time_mask;
    if (graceful.restarting) flags |= restarting_bit;
    if (graceful.notification) flags |= notification_bit;
    writer.u16(flags);
    for (const GracefulFamily& entry : graceful.families) {
        if (!writer.fits(4)) break;
        writer.family(entry.family);
        writer.u8(entry.preserved ? preserved_bit : std::uint8_t{0});
    }
    writer.close();
}

void put_long_lived(ListWriter& writer, const std::vector<LongLivedFamily>& families) {
    writer.open(CapabilityCode::long_lived_graceful_restart);
    for (const LongLivedFamily& entry : families) {
        if (!writer.fits(7)) break;
        writer.family(entry.family);
        writer.u8(entry.preserved ? preserved_bit : std::uint8_t{0});
        writer.u8(static_cast<std::uint8_t>(entry.stale_time >> 16));
        writer.u16(static_cast<std::uint16_t>(entry.stale_time));
    }
    writer.close();
}

void put_add_path(ListWriter& writer, const std::vector<AddPathFamily>& families) {
    writer.open(CapabilityCode::add_path);
    for (const AddPathFamily& entry : families) {
        if (!writer.fits(4)) break;
        writer.family(entry.family);
        writer.u8(static_cast<std::uint8_t>((entry.receive ? 1 : 0) | (entry.send ? 2 : 0)));
    }
    writer.close();
}

void put_next_hops(ListWriter& writer, const std::vector<NextHopFamily>& families) {
    writer.open(CapabilityCode::extended_next_hop);
    for (const NextHopFamily& entry : families) {
        if (!writer.fits(6)) break;
        writer.u16(entry.family.afi);
        writer.u16(entry.family.safi);
        writer.u16(entry.next_hop_afi);
    }
    writer.close();
}

void put_hostname(ListWriter& writer, std::string_view name) {
    constexpr std::size_t name_max = 0xff - 2;  // two length octets share the capability
    writer.open(CapabilityCode::hostname);
    name = name.substr(0, name_max);
    writer.u8(static_cast<std::uint8_t>(name.size()));
    for (char c : name)
        writer.u8(static_cast<std::uint8_t>(c));
    writer.u8(0);
    writer.close();
}

}  // namespace

std::string_view role_name(Role role) {
    switch (role) {
        case Role::provider:
            return "provider";
        case Role::rs_server:
            return "rs_server";
        case Role::rs_client:
            return "rs_client";
        case Role::customer:
            return "customer";
        case Role::peer:
            return "peer";
    }
    return "?";
}

Result<void, Notification> decode_capabilities(Bytes value, Capabilities& out) {
    Reader reader(value);
    while (!reader.at_end()) {
        const std::uint8_t code = reader.u8();
        const std::uint8_t length = reader.u8();
        const Reader data = reader.sub(length);
        if (!reader.ok() || !decode_one(code, data, out)) {
            return fail_with(Notification{ErrorCode::open, open_error::unspecific, {}});
        }
        out.present = true;
    }
    return {};
}

std::vector<std::uint8_t> encode_capabilities(const Capabilities& capabilities) {
    ListWriter writer;
    for (Family family : capabilities.multiprotocol) {
        writer.open(CapabilityCode::multiprotocol);
        writer.u16(family.afi);
        writer.u8(0);
        writer.u8(family.safi);
        writer.close();
    }
    if (capabilities.route_refresh) writer.flag(CapabilityCode::route_refresh);
    if (!capabilities.extended_next_hop.empty()) {
        put_next_hops(writer, capabilities.extended_next_hop);
    }
    if (capabilities.extended_message) writer.flag(CapabilityCode::extended_message);
    if (capabilities.role) {
        writer.open(CapabilityCode::role);
        writer.u8(static_cast<std::uint8_t>(*capabilities.role));
        writer.close();
    }
    if (capabilities.graceful_restart) put_graceful(writer, *capabilities.graceful_restart);
    if (capabilities.as4) {
        writer.open(CapabilityCode::as4);
        writer.u32(*capabilities.as4);
        writer.close();
    }
    if (!capabilities.add_path.empty()) put_add_path(writer, capabilities.add_path);
    if (capabilities.enhanced_refresh) writer.flag(CapabilityCode::enhanced_refresh);
    if (capabilities.long_lived) put_long_lived(writer, *capabilities.long_lived);
    if (!capabilities.hostname.empty()) put_hostname(writer, capabilities.hostname);
    return writer.take();
}

}  // namespace tern::bgp::wire
