#include "router/proto/bgp/wire/open.h"

#include "router/proto/bgp/wire/header.h"

namespace tern::bgp::wire {

namespace {

constexpr std::uint8_t version = 4;
constexpr std::uint8_t parameter_capabilities = 2;
constexpr std::uint8_t parameter_extended = 255;  // RFC 9072 section 2
constexpr std::size_t fixed_length = 10;

tl::unexpected<Notification> malformed() {
    return fail_with(Notification{ErrorCode::open, open_error::unspecific, {}});
}

Result<void, Notification> decode_parameters(Reader reader, bool extended, Capabilities& out) {
    while (!reader.at_end()) {
        const std::uint8_t type = reader.u8();
        const std::size_t length = extended ? reader.u16() : reader.u8();
        const Bytes value = reader.take(length);
        if (!reader.ok()) return malformed();
        if (type != parameter_capabilities) {
            // RFC 4271 section 6.2: unrecognised parameters, Authentication included (RFC 5492).
            return fail_with(Notification{ErrorCode::open, open_error::unsupported_parameter, {}});
        }
        if (auto done = decode_capabilities(value, out); !done) return done;
    }
    return {};
}

}  // namespace

Result<OpenMessage, Notification> decode_open(Bytes body) {
    if (body.size() < fixed_length) {
        return fail_with(bad_message_length(body.size() + header_length));
    }
    Reader reader(body);
    if (reader.u8() != version) {
        return fail_with(
            Notification{ErrorCode::open, open_error::unsupported_version, {0, version}});
    }
    OpenMessage open;
    open.as = AsNumber(reader.u16());
    open.hold_time = reader.u16();
    open.router_id = RouterId(reader.u32());
    std::size_t length = reader.u8();
    // RFC 9072 section 2: the first parameter type 255 marks the extended form, whatever the
    // one-octet length says, as long as it is not zero.
    bool extended = false;
    if (length != 0 && reader.remaining() >= 1 && reader.rest()[0] == parameter_extended) {
        extended = true;
        reader.skip(1);
        length = reader.u16();
    }
    if (!reader.ok() || reader.remaining() != length) return malformed();
    if (auto done = decode_parameters(reader, extended, open.capabilities); !done) {
        return fail_with(done.error());
    }
    if (open.capabilities.as4) open.as = AsNumber(*open.capabilities.as4);
    return open;
}

std::vector<std::uint8_t> encode_open(const OpenMessage& open) {
    std::vector<std::uint8_t> list;
    if (open.capabilities.present) list = encode_capabilities(open.capabilities);
    const bool extended = list.size() + 2 > 0xff;
    std::size_t parameters = 0;
    if (!list.empty()) parameters = list.size() + (extended ? 3 : 2);
    const std::size_t length = header_length + fixed_length + (extended ? 3 : 0) + parameters;
    std::vector<std::uint8_t> out(length);
    put_header(out, MessageType::open);
    Writer writer(MutableBytes(out).subspan(header_length));
    const std::uint32_t as = open.as.value();
    writer.u8(version);
    writer.u16(as > 0xffff ? as_trans : static_cast<std::uint16_t>(as));
    writer.u16(open.hold_time);
    writer.u32(open.router_id.value());
    if (extended) {
        writer.u8(0xff);
        writer.u8(parameter_extended);
        writer.u16(static_cast<std::uint16_t>(parameters));
        writer.u8(parameter_capabilities);
        writer.u16(static_cast<std::uint16_t>(list.size()));
    } else {
        writer.u8(static_cast<std::uint8_t>(parameters));
        if (!list.empty()) {
            writer.u8(parameter_capabilities);
            writer.u8(static_cast<std::uint8_t>(list.size()));
        }
    }
    writer.bytes(list);
    TERN_ASSERT(writer.ok() && writer.room() == 0);
    return out;
}

}  // namespace tern::bgp::wire
