#include "router/net/ip_address.h"

#include <charconv>

#include <fmt/format.h>

namespace tern::net {

namespace {

constexpr unsigned groups = 8;

std::size_t print_number(char* out, unsigned value, int base) {
    const auto result = std::to_chars(out, out + 5, value, base);
    return static_cast<std::size_t>(result.ptr - out);
}

std::size_t print_v4(char* out, std::uint32_t value) {
    std::size_t size = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        size += print_number(out + size, value >> shift & 0xff, 10);
        if (shift != 0) out[size++] = '.';
    }
    return size;
}

/// Four decimal octets, nothing else.
std::optional<std::uint32_t> scan_v4(std::string_view text) {
    std::uint32_t value = 0;
    for (int octet = 0; octet < 4; ++octet) {
        if (octet != 0) {
            if (text.empty() || text[0] != '.') return std::nullopt;
            text.remove_prefix(1);
        }
        unsigned number = 0;
        std::size_t digits = 0;
        while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9') {
            number = number * 10 + static_cast<unsigned>(text[digits++] - '0');
        }
        if (digits == 0 || digits > 3 || number > 255) return std::nullopt;
        text.remove_prefix(digits);
        value = value << 8 | number;
    }
    if (!text.empty()) return std::nullopt;
    return value;
}

struct Groups {
    std::array<std::uint16_t, groups> word = {};
    unsigned count = 0;
};

/// Colon-separated groups, perhaps with a dotted tail; the empty text has none.
bool scan_groups(std::string_view text, Groups& out) {
    while (!text.empty()) {
        const std::size_t end = text.find(':');
        const std::string_view group = text.substr(0, end);
        if (end == std::string_view::npos && group.find('.') != std::string_view::npos) {
            const std::optional<std::uint32_t> tail = scan_v4(group);
            if (!tail || out.count > groups - 2) return false;
            out.word[out.count++] = static_cast<std::uint16_t>(*tail >> 16);
            out.word[out.count++] = static_cast<std::uint16_t>(*tail);
            return true;
        }
        if (group.empty() || group.size() > 4 || out.count == groups) return false;
        unsigned value = 0;
        const auto result = std::from_chars(group.data(), group.data() + group.size(), value, 16);
        if (result.ptr != group.data() + group.size() || result.ec != std::errc()) return false;
        out.word[out.count++] = static_cast<std::uint16_t>(value);
        if (end == std::string_view::npos) return true;
        text.remove_prefix(end + 1);
        if (text.empty()) return false;  // a colon at the end
    }
    return true;
}

std::optional<IpAddress> scan_v6(std::string_view text) {
    const std::size_t gap = text.find("::");
    Groups head;
    Groups tail;
    if (!scan_groups(text.substr(0, gap), head)) return std::nullopt;
    if (gap == std::string_view::npos) {
        if (head.count != groups) return std::nullopt;
    } else {
        const std::string_view before = text.substr(0, gap);
        if (before.find('.') != std::string_view::npos) return std::nullopt;
        if (!scan_groups(text.substr(gap + 2), tail)) return std::nullopt;
        if (head.count + tail.count >= groups) return std::nullopt;
    }
    for (unsigned i = 0; i < tail.count; ++i) {
        head.word[groups - tail.count + i] = tail.word[i];
    }
    std::uint64_t halves[2] = {0, 0};
    for (unsigned i = 0; i < groups; ++i)
        halves[i / 4] = halves[i / 4] << 16 | head.word[i];
    return IpAddress::v6(halves[0], halves[1]);
}

struct ZeroRun {
    unsigned start = 0;
    unsigned length = 0;
};

/// The first longest run of at least two zero groups (RFC 5952 section 4.2).
ZeroRun longest_zeros(const std::array<std::uint16_t, groups>& word) {
    ZeroRun best;
    for (unsigned i = 0; i < groups;) {
        unsigned length = 0;
        while (i + length < groups && word[i + length] == 0)
            ++length;
        if (length > best.length && length >= 2) best = {i, length};
        i += length + 1;
    }
    return best;
}

}  // namespace

std::string_view scope_name(Scope scope) {
    switch (scope) {
        case Scope::host:
            return "host";
        case Scope::link:
            return "link";
        case Scope::site:
            return "site";
        case Scope::organization:
            return "org";
        case Scope::universe:
            return "univ";
        case Scope::undefined:
            return "undef";
    }
    return "undef";
}

IpAddress IpAddress::from_bytes(Bytes bytes) {
    TERN_ASSERT(bytes.size() == 4 || bytes.size() == 16);
    if (bytes.size() == 4) return v4(load_u32(bytes.data()));
    return v6(load_u64(bytes.data()), load_u64(bytes.data() + 8));
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
    return text.find(':') == std::string_view::npos ? parse_v4(text) : parse_v6(text);
}

Result<IpAddress> IpAddress::parse_v4(std::string_view text) {
    const std::optional<std::uint32_t> value = scan_v4(text);
    if (!value) return fail(fmt::format("Invalid IPv4 address {}", text));
    return v4(*value);
}

Result<IpAddress> IpAddress::parse_v6(std::string_view text) {
    const std::optional<IpAddress> value = scan_v6(text);
    if (!value) return fail(fmt::format("Invalid IPv6 address {}", text));
    return *value;
}

bool IpAddress::is_loopback() const {
    return is_v4() ? v4_value() >> 24 == 127 : high_ == 0 && low_ == 1;
}

AddressClass IpAddress::address_class() const {
    if (high_ == 0 && (is_v4() || low_ >> 32 == 0)) {
        if (!is_v4() && low_ <= 1) return low_ == 1 ? AddressClass::host : AddressClass::invalid;
        const std::uint32_t value = v4_value();  // mapped or compatible
        if (value >> 24 == 0) return AddressClass::invalid;
        if (value == 0xffff'ffff) return AddressClass::broadcast;
        return value >> 28 == 0xe ? AddressClass::multicast : AddressClass::host;
    }
    if (high_ == 0) return AddressClass::invalid;
    return high_ >> 56 == 0xff ? AddressClass::multicast : AddressClass::host;
}

Scope IpAddress::scope() const {
    if (high_ == 0 && (is_v4() || (low_ >> 32 == 0 && low_ > 1))) {
        const std::uint32_t value = v4_value();
        if (value >> 24 == 0) return Scope::undefined;
        if (value >> 24 == 127) return Scope::host;
        if (value >> 16 == 0xa9fe || value >> 8 == 0xe00000) return Scope::link;
        if (value == 0xffff'ffff) return Scope::link;
        const bool is_private =
            value >> 24 == 10 || value >> 20 == 0xac1 || value >> 16 == 0xc0a8;  // RFC 1918
        return is_private ? Scope::site : Scope::universe;
    }
    if (high_ == 0) return low_ == 1 ? Scope::host : Scope::undefined;
    if (high_ >> 56 == 0xff) {  // RFC 4291 section 2.7
        switch (high_ >> 48 & 0xf) {
            case 1:
                return Scope::host;
            case 2:
                return Scope::link;
            case 5:
                return Scope::site;
            case 8:
                return Scope::organization;
            case 14:
                return Scope::universe;
            default:
                return Scope::undefined;
        }
    }
    if (is_link_local()) return Scope::link;
    const bool local = high_ >> 57 == 0xfc >> 1 || high_ >> 54 == 0xfec0 >> 6;
    return local ? Scope::site : Scope::universe;
}

std::array<std::uint8_t, 16> IpAddress::to_bytes16() const {
    std::array<std::uint8_t, 16> bytes;
    store16(bytes.data());
    return bytes;
}

std::size_t IpAddress::print(char* out) const {
    if (is_v4()) return print_v4(out, v4_value());
    std::array<std::uint16_t, groups> word;
    for (unsigned i = 0; i < groups; ++i) {
        word[i] = static_cast<std::uint16_t>((i < 4 ? high_ : low_) >> (48 - 16 * (i % 4)));
    }
    const ZeroRun zeros = longest_zeros(word);
    const bool compatible = zeros.start == 0 && zeros.length == 6;
    std::size_t size = 0;
    for (unsigned i = 0; i < groups;) {
        if (zeros.length != 0 && i == zeros.start) {
            out[size++] = ':';
            out[size++] = ':';
            i += zeros.length;
            continue;
        }
        if (compatible) return size + print_v4(out + size, v4_value());
        if (i != 0 && i != zeros.start + zeros.length) out[size++] = ':';
        if (i != 0 && i == zeros.start + zeros.length && zeros.length == 0) out[size++] = ':';
        size += print_number(out + size, word[i], 16);
        ++i;
    }
    return size;
}

std::string IpAddress::to_string() const {
    char text[text_max];
    return std::string(text, print(text));
}

}  // namespace tern::net
