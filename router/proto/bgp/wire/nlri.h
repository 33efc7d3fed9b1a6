#pragma once

/// NLRI of the unicast and multicast families: [path id] length prefix.
/// A field is checked once as a whole (`check_nlri`), then walked by an inline cursor without any
/// test per octet; so that a hostile length is found before the first route is touched. Writing is
/// the same form backwards. Nothing here allocates.
/// Source: RFC 4271 section 4.3, RFC 4760 section 5, RFC 7911 section 3.

#include "router/base/bytes.h"
#include "router/net/prefix.h"
#include "router/proto/bgp/wire/family.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace tern::bgp::wire {

/// One prefix as it stands on the wire; `address` is in network order, left aligned, with all bits
/// after `length` zero (an IPv4 address takes its first four octets).
struct Nlri {
    std::array<std::uint8_t, 16> address = {};
    std::uint32_t path_id = 0;
    std::uint8_t length = 0;

    friend bool operator==(const Nlri&, const Nlri&) = default;
};

[[nodiscard]] inline net::Prefix to_prefix(Family family, const Nlri& nlri) {
    if (family.afi == afi_ipv4) {
        return net::Prefix::ip4(load_u32(nlri.address.data()), nlri.length);
    }
    return net::Prefix::ip6(load_u64(nlri.address.data()), load_u64(nlri.address.data() + 8),
                            nlri.length);
}

[[nodiscard]] inline Nlri from_prefix(const net::Prefix& prefix, std::uint32_t path_id) {
    Nlri out;
    if (prefix.is_v4()) {
        prefix.address().store4(out.address.data());
    } else {
        prefix.address().store16(out.address.data());
    }
    out.path_id = path_id;
    out.length = static_cast<std::uint8_t>(prefix.length());
    return out;
}

/// A run of NLRI of one family, borrowed from the message it came in.
struct NlriField {
    Family family = {};
    bool path_ids = false;
    Bytes bytes = {};

    [[nodiscard]] bool empty() const { return bytes.empty(); }
};

inline constexpr std::size_t path_id_length = 4;
/// Path id, length octet and address at most.
inline constexpr std::size_t nlri_length_max = path_id_length + 1 + 16;

[[nodiscard]] constexpr unsigned address_bits(Family family) {
    return family.afi == afi_ipv4 ? 32U : 128U;
}

/// True if every prefix has a legal length and lies wholly within the field.
[[nodiscard]] inline bool check_nlri(const NlriField& field) {
    const unsigned bits_max = address_bits(field.family);
    const std::uint8_t* at = field.bytes.data();
    std::size_t left = field.bytes.size();
    const std::size_t head = field.path_ids ? path_id_length + 1 : 1;
    while (left != 0) {
        if (left < head) return false;
        const unsigned bits = at[head - 1];
        const std::size_t need = head + (bits + 7) / 8;
        if (bits > bits_max || left < need) return false;
        at += need;
        left -= need;
    }
    return true;
}

/// Walks a field that `check_nlri` has accepted. `next` returns false at the end.
class NlriCursor {
  public:
    explicit NlriCursor(const NlriField& field)
        : at_(field.bytes.data()),
          end_(field.bytes.data() + field.bytes.size()),
          path_ids_(field.path_ids) {}

    bool next(Nlri& out) {
        if (at_ == end_) return false;
        out.path_id = 0;
        if (path_ids_) {
            out.path_id = load_u32(at_);
            at_ += path_id_length;
        }
        out.length = *at_++;
        const std::size_t octets = (static_cast<std::size_t>(out.length) + 7) / 8;
        out.address.fill(0);
        std::memcpy(out.address.data(), at_, octets);
        at_ += octets;
        // RFC 4271 section 4.3: the value of trailing bits is irrelevant.
        if (const unsigned tail = out.length % 8; tail != 0) {
            out.address[octets - 1] &= static_cast<std::uint8_t>(0xff00U >> tail);
        }
        return true;
    }

  private:
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    bool path_ids_;
};

/// Octets of one prefix on the wire.
[[nodiscard]] constexpr std::size_t nlri_length(const Nlri& nlri, bool path_ids) {
    return (path_ids ? path_id_length : 0) + 1 + (static_cast<std::size_t>(nlri.length) + 7) / 8;
}

/// Appends one prefix; the writer fails when there is no room.
inline void put_nlri(Writer& writer, const Nlri& nlri, bool path_ids) {
    if (path_ids) writer.u32(nlri.path_id);
    writer.u8(nlri.length);
    writer.bytes(Bytes(nlri.address).first((static_cast<std::size_t>(nlri.length) + 7) / 8));
}

}  // namespace tern::bgp::wire
