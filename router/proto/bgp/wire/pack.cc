#include "router/proto/bgp/wire/pack.h"

#include "router/proto/bgp/wire/attribute.h"
#include "router/proto/bgp/wire/header.h"

namespace tern::bgp::wire {

namespace {

// Offsets of an UPDATE: header, withdrawn length, then (nothing withdrawn) attribute length.
constexpr std::size_t withdrawn_at = header_length;
constexpr std::size_t attributes_at = withdrawn_at + 2;
constexpr std::size_t after_lengths = attributes_at + 2;
constexpr std::size_t mp_head = 4;  // flags, code, two-octet length: always the extended form

constexpr std::uint8_t mp_flags = flag::optional | flag::extended;

std::uint16_t narrow(std::size_t v) {
    TERN_ASSERT(v <= 0xffff);
    return static_cast<std::uint16_t>(v);
}

/// Writes the header once the size is known, and returns the message.
Bytes seal(MutableBytes message, std::size_t size) {
    const MutableBytes whole = message.first(size);
    put_header(whole, MessageType::update);
    return whole;
}

}  // namespace

AnnouncePacker::AnnouncePacker(MutableBytes message,
                               const PackFormat& format,
                               Bytes attributes,
                               Bytes next_hop)
    : message_(message),
      format_(format),
      attributes_(attributes),
      next_hop_(next_hop),
      writer_(message) {
    open();
}

void AnnouncePacker::open() {
    writer_ = Writer(message_);
    writer_.zeros(after_lengths);
    if (format_.multiprotocol) {
        // RFC 7606 section 5.1: MP_REACH_NLRI is the first attribute.
        writer_.u8(mp_flags);
        writer_.u8(code::mp_reach);
        writer_.u16(0);
        writer_.u16(format_.family.afi);
        writer_.u8(format_.family.safi);
        writer_.u8(static_cast<std::uint8_t>(next_hop_.size()));
        writer_.bytes(next_hop_);
        writer_.u8(0);
        tail_ = attributes_.size();
    } else {
        writer_.bytes(attributes_);
    }
    possible_ = writer_.ok() && writer_.room() >= tail_;
    start_ = writer_.size();
    finished_ = false;
}

bool AnnouncePacker::fits(const Nlri& nlri) const {
    return possible_ && start_ + nlri_length(nlri, format_.path_ids) + tail_ <= message_.size();
}

bool AnnouncePacker::add(const Nlri& nlri) {
    if (finished_) open();
    if (!possible_ || writer_.room() < nlri_length(nlri, format_.path_ids) + tail_) return false;
    put_nlri(writer_, nlri, format_.path_ids);
    return true;
}

Bytes AnnouncePacker::finish() {
    TERN_ASSERT(!finished_ && !empty());
    finished_ = true;
    if (format_.multiprotocol) {
        writer_.patch_u16(after_lengths + 2, narrow(writer_.size() - after_lengths - mp_head));
        writer_.bytes(attributes_);
        writer_.patch_u16(attributes_at, narrow(writer_.size() - after_lengths));
    } else {
        writer_.patch_u16(attributes_at, narrow(attributes_.size()));
    }
    TERN_ASSERT(writer_.ok());
    return seal(message_, writer_.size());
}

WithdrawPacker::WithdrawPacker(MutableBytes message, const PackFormat& format)
    : message_(message), format_(format), writer_(message) {
    open();
}

void WithdrawPacker::open() {
    writer_ = Writer(message_);
    if (format_.multiprotocol) {
        writer_.zeros(after_lengths);
        writer_.u8(mp_flags);
        writer_.u8(code::mp_unreach);
        writer_.u16(0);
        writer_.u16(format_.family.afi);
        writer_.u8(format_.family.safi);
    } else {
        writer_.zeros(attributes_at);
    }
    TERN_ASSERT(writer_.ok());
    start_ = writer_.size();
    finished_ = false;
}

bool WithdrawPacker::add(const Nlri& nlri) {
    if (finished_) open();
    const std::size_t tail = format_.multiprotocol ? 0 : 2;  // the attribute length
    if (writer_.room() < nlri_length(nlri, format_.path_ids) + tail) return false;
    put_nlri(writer_, nlri, format_.path_ids);
    return true;
}

Bytes WithdrawPacker::finish() {
    TERN_ASSERT(!finished_ && !empty());
    finished_ = true;
    if (format_.multiprotocol) {
        writer_.patch_u16(after_lengths + 2, narrow(writer_.size() - after_lengths - mp_head));
        writer_.patch_u16(attributes_at, narrow(writer_.size() - after_lengths));
    } else {
        writer_.patch_u16(withdrawn_at, narrow(writer_.size() - attributes_at));
        writer_.u16(0);
    }
    TERN_ASSERT(writer_.ok());
    return seal(message_, writer_.size());
}

Bytes end_of_rib(MutableBytes message, Family family) {
    Writer writer(message);
    writer.zeros(after_lengths);
    if (family != ipv4_unicast) {
        writer.patch_u16(attributes_at, 6);
        writer.u8(flag::optional);
        writer.u8(code::mp_unreach);
        writer.u8(3);
        writer.u16(family.afi);
        writer.u8(family.safi);
    }
    TERN_ASSERT(writer.ok());
    return seal(message, writer.size());
}

}  // namespace tern::bgp::wire
