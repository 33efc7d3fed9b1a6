#pragma once

/// Fills UPDATE messages: attributes encoded once, then as many prefixes as fit.
/// The caller owns the message buffer (its size is the session's largest message) and the encoded
/// attributes; messages come out one at a time through `finish`. What does not fit even alone is
/// refused (`fits` says no): the route is to be withdrawn, never a malformed message sent.
/// Source: RFC 4271 section 4.3, RFC 4760 section 3 and 4, RFC 7606 section 5.1, RFC 8654.

#include "router/base/bytes.h"
#include "router/proto/bgp/wire/family.h"
#include "router/proto/bgp/wire/nlri.h"

#include <cstdint>

namespace tern::bgp::wire {

struct PackFormat {
    Family family = ipv4_unicast;
    bool path_ids = false;
    /// Use MP_REACH/UNREACH; always so except for IPv4 unicast with an IPv4 next hop.
    bool multiprotocol = false;
};

/// One UPDATE announcing prefixes that share attributes and next hop.
class AnnouncePacker {
  public:
    /// `attributes` are encoded (put_attribute) without MP_REACH, and hold NEXT_HOP when the format
    /// is not multiprotocol; `next_hop` is the wire form for MP_REACH otherwise. Borrows all.
    AnnouncePacker(MutableBytes message,
                   const PackFormat& format,
                   Bytes attributes,
                   Bytes next_hop);

    /// Whether a message has room for a prefix of this length at all.
    [[nodiscard]] bool fits(const Nlri& nlri) const;
    /// False if the message is full: `finish` it and add again.
    [[nodiscard]] bool add(const Nlri& nlri);

    [[nodiscard]] bool empty() const { return writer_.size() == start_; }

    /// The message, valid until the next `add`, which starts a new one.
    [[nodiscard]] Bytes finish();

  private:
    void open();

    MutableBytes message_;
    PackFormat format_;
    Bytes attributes_;
    Bytes next_hop_;
    Writer writer_;
    std::size_t start_ = 0;  ///< where the prefixes begin
    std::size_t tail_ = 0;   ///< room kept for attributes that follow MP_REACH
    bool possible_ = true;
    bool finished_ = false;
};

/// One UPDATE withdrawing prefixes.
class WithdrawPacker {
  public:
    WithdrawPacker(MutableBytes message, const PackFormat& format);

    [[nodiscard]] bool add(const Nlri& nlri);

    [[nodiscard]] bool empty() const { return writer_.size() == start_; }

    [[nodiscard]] Bytes finish();

  private:
    void open();

    MutableBytes message_;
    PackFormat format_;
    Writer writer_;
    std::size_t start_ = 0;
    bool finished_ = false;
};

/// RFC 4724 section 2. Written into `message` (at least 30 octets).
[[nodiscard]] Bytes end_of_rib(MutableBytes message, Family family);

}  // namespace tern::bgp::wire
