#pragma once

/// The values filters compute with and attributes have: one small tagged union.
/// A Value is 32 bytes and trivially copied; strings, paths, lists and sets are borrowed from an
/// arena, an attribute set or the configuration, whoever made the Value sees to that. Any domain.
/// It never owns memory and never converts by itself.

#include "router/base/bytes.h"
#include "router/net/mac_address.h"
#include "router/net/prefix.h"
#include "router/net/route_distinguisher.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tern::net {
class PrefixSet;
}

namespace tern::attr {

class AsPathMask;

/// Numeric values are visible: `eval` prints `(enum 31)11`, `show route all` prints `<type a1>`.
enum class ValueType : std::uint8_t {
    void_ = 0x00,
    none = 0x01,
    opaque = 0x02,
    interface = 0x03,
    routes = 0x04,
    route = 0x05,
    next_hops = 0x06,
    recursive_next_hop = 0x07,

    enum_bgp_origin = 0x30,
    enum_rts = 0x31,
    enum_scope = 0x32,
    enum_ra_preference = 0x33,
    enum_rtd = 0x34,
    enum_roa = 0x35,
    enum_net_type = 0x36,
    enum_aspa = 0x37,
    enum_af = 0x38,
    enum_mpls_policy = 0x39,
    enum_net_evpn_type = 0x3a,
    enum_kbr_source = 0x3b,

    int_ = 0xa0,
    bool_ = 0xa1,
    pair = 0xa5,
    quad = 0xa6,

    ip = 0xa8,
    rd = 0xa9,
    mac = 0xaa,
    ec = 0xab,
    lc = 0xac,

    prefix = 0xb0,
    prefix_set = 0xb1,
    set = 0xb2,

    string = 0xc0,
    as_path_mask = 0xc1,
    as_path = 0xc2,
    community_list = 0xc3,
    extended_list = 0xc4,
    large_list = 0xc5,
    bytestring = 0xcc,
};

[[nodiscard]] constexpr bool is_enum(ValueType type) {
    return type >= ValueType::enum_bgp_origin && type <= ValueType::enum_kbr_source;
}

/// One 32-bit word holds the whole value: stored inside an attribute's row, without payload.
[[nodiscard]] constexpr bool is_word(ValueType type) {
    return is_enum(type) || type == ValueType::int_ || type == ValueType::bool_ ||
           type == ValueType::pair || type == ValueType::quad || type == ValueType::interface;
}

/// The type's name in the filter language and its messages: "int", "enum rts", "bgppath".
[[nodiscard]] std::string_view type_name(ValueType type);

struct LargeCommunity {
    std::uint32_t as = 0;
    std::uint32_t data1 = 0;
    std::uint32_t data2 = 0;
    friend auto operator<=>(const LargeCommunity&, const LargeCommunity&) = default;
};

/// Formats sets of the filter language, which live above this layer.
class SetText {
  public:
    virtual ~SetText() = default;
    virtual void append(std::string& out) const = 0;
};

class Value {
  public:
    constexpr Value() : none_(0) {}

    static Value of_int(std::uint32_t v) { return Value(ValueType::int_, v); }

    static Value of_bool(bool v) { return Value(ValueType::bool_, v ? 1 : 0); }

    static Value of_pair(std::uint16_t a, std::uint16_t b) {
        return Value(ValueType::pair, std::uint32_t{a} << 16 | b);
    }

    /// For int, bool, pair, quad, enums: the 32-bit word as attributes store it.
    static Value of_word(ValueType type, std::uint32_t word) {
        TERN_ASSERT(is_word(type));
        return Value(type, word);
    }

    static Value of_ec(std::uint64_t v) {
        Value value(ValueType::ec);
        value.long_ = v;
        return value;
    }

    static Value of_lc(LargeCommunity v) {
        Value value(ValueType::lc);
        value.large_ = v;
        return value;
    }

    static Value of_ip(net::IpAddress v) {
        Value value(ValueType::ip);
        value.ip_ = v;
        return value;
    }

    static Value of_prefix(const net::Prefix& v) {
        Value value(ValueType::prefix);
        value.prefix_ = v;
        return value;
    }

    static Value of_rd(net::RouteDistinguisher v) {
        Value value(ValueType::rd);
        value.long_ = v.value();
        return value;
    }

    static Value of_mac(net::MacAddress v) {
        Value value(ValueType::mac);
        value.long_ = v.value();
        return value;
    }

    /// string, bytestring, opaque, as_path, the three lists, next hops; the bytes are borrowed.
    static Value of_bytes(ValueType type, Bytes bytes) {
        Value value(type);
        value.bytes_ = {bytes.data(), bytes.size()};
        return value;
    }

    static Value of_string(std::string_view text) {
        return of_bytes(ValueType::string, as_bytes(text));
    }

    static Value of_mask(const AsPathMask& mask) { return object(ValueType::as_path_mask, &mask); }

    static Value of_prefix_set(const net::PrefixSet& set) {
        return object(ValueType::prefix_set, &set);
    }

    /// A filter set; formatted through SetText.
    static Value of_set(const SetText& set) { return object(ValueType::set, &set); }

    /// A route or block of routes, for filters that loop over routes.
    static Value of_route(ValueType type, const void* route) { return object(type, route); }

    [[nodiscard]] ValueType type() const { return type_; }

    [[nodiscard]] bool is(ValueType type) const { return type_ == type; }

    [[nodiscard]] bool is_void() const { return type_ == ValueType::void_; }

    /// int, bool, pair, quad, enum.
    [[nodiscard]] std::uint32_t word() const {
        TERN_DEBUG_ASSERT(is_word(type_));
        return word_;
    }

    [[nodiscard]] bool as_bool() const { return word() != 0; }

    [[nodiscard]] std::uint64_t ec() const { return long_; }

    [[nodiscard]] LargeCommunity lc() const { return large_; }

    [[nodiscard]] net::IpAddress ip() const { return ip_; }

    [[nodiscard]] const net::Prefix& prefix() const { return prefix_; }

    [[nodiscard]] net::RouteDistinguisher rd() const { return net::RouteDistinguisher(long_); }

    [[nodiscard]] net::MacAddress mac() const { return net::MacAddress(long_); }

    [[nodiscard]] Bytes bytes() const { return {bytes_.data, bytes_.size}; }

    [[nodiscard]] std::string_view string() const { return as_text(bytes()); }

    [[nodiscard]] const AsPathMask& mask() const {
        return *static_cast<const AsPathMask*>(object_);
    }

    [[nodiscard]] const net::PrefixSet& prefix_set() const {
        return *static_cast<const net::PrefixSet*>(object_);
    }

    [[nodiscard]] const SetText& set() const { return *static_cast<const SetText*>(object_); }

    [[nodiscard]] const void* route() const { return object_; }

  private:
    explicit Value(ValueType type) : type_(type), long_(0) {}

    Value(ValueType type, std::uint32_t word) : type_(type), long_(0) { word_ = word; }

    static Value object(ValueType type, const void* pointer) {
        Value value(type);
        value.object_ = pointer;
        return value;
    }

    struct BytesRef {
        const std::uint8_t* data;
        std::size_t size;
    };

    ValueType type_ = ValueType::void_;

    union {
        std::uint8_t none_;
        std::uint32_t word_;
        std::uint64_t long_;
        LargeCommunity large_;
        net::IpAddress ip_;
        net::Prefix prefix_;
        BytesRef bytes_;
        const void* object_;
    };
};

static_assert(sizeof(Value) == 32);

/// Same type and same contents; sets and masks by identity. For promotion rules ask the filter.
[[nodiscard]] bool equal(const Value& a, const Value& b);
/// Order of two values of one ordered type: -1, 0 or 1; nothing if the type has no order.
[[nodiscard]] std::optional<int> compare(const Value& a, const Value& b);

/// Text as `print`, `eval` and `format()` give it: `(path 6 5)`, `TRUE`, `(1,2)`, `(enum 31)11`.
void append_text(std::string& out, const Value& value);
[[nodiscard]] std::string to_text(const Value& value);

}  // namespace tern::attr
