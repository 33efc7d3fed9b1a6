#include "router/proto/bgp/wire/update.h"

#include "router/proto/bgp/wire/attr_as_path.h"
#include "router/proto/bgp/wire/attr_next_hop.h"
#include "router/proto/bgp/wire/header.h"
#include "router/proto/bgp/wire/pack.h"

#include <array>
#include <random>

#include <catch2/catch.hpp>

namespace tern::bgp::wire {

namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::array both_families{FamilyRules{ipv4_unicast, false, false},
                                   FamilyRules{ipv6_unicast, false, false}};

UpdateRules external() {
    return {{}, both_families};
}

Octets attribute(std::uint8_t flags, std::uint8_t attribute_code, const Octets& payload) {
    Octets out;
    put_attribute(out, {attribute_code, flags, payload});
    return out;
}

const Octets good_origin = attribute(0x40, 1, {0});
const Octets good_path = attribute(0x40, 2, {2, 1, 0, 0, 0xfd, 0xe9});
const Octets good_hop = attribute(0x40, 3, {10, 0, 0, 1});
const Octets one_prefix{8, 10};

Octets join(std::initializer_list<Octets> parts) {
    Octets out;
    for (const Octets& part : parts)
        out.insert(out.end(), part.begin(), part.end());
    return out;
}

Octets body(const Octets& withdrawn, const Octets& attributes, const Octets& announced) {
    const auto length = [](const Octets& v) {
        return Octets{static_cast<std::uint8_t>(v.size() >> 8),
                      static_cast<std::uint8_t>(v.size())};
    };
    return join({length(withdrawn), withdrawn, length(attributes), attributes, announced});
}

/// Treatment of an attribute added to an otherwise good UPDATE.
Treatment treatment(const Octets& extra, const UpdateRules& rules) {
    DecodedUpdate out;
    const Octets message = body({}, join({good_origin, good_path, good_hop, extra}), one_prefix);
    decode_update(message, rules, out);
    return out.treatment;
}

unsigned count(const NlriField& field) {
    NlriCursor cursor(field);
    Nlri nlri;
    unsigned found = 0;
    while (cursor.next(nlri))
        ++found;
    return found;
}

}  // namespace

TEST_CASE("a plain UPDATE is split into attributes and prefixes") {  // RFC 4271 section 4.3
    DecodedUpdate out;
    const Octets message =
        body({16, 192, 168}, join({good_origin, good_path, good_hop}), {8, 10, 12, 172, 0x1f, 0});
    decode_update(message, external(), out);
    CHECK(out.treatment == Treatment::none);
    CHECK(out.attributes().size() == 2);
    CHECK(out.announced.next_hop.size() == 4);
    CHECK(count(out.withdrawn) == 1);
    NlriCursor cursor(out.announced.nlri);
    Nlri nlri;
    REQUIRE(cursor.next(nlri));
    CHECK(to_prefix(ipv4_unicast, nlri) == net::Prefix::ip4(0x0a000000, 8));
    REQUIRE(cursor.next(nlri));  // trailing bits are irrelevant
    CHECK(to_prefix(ipv4_unicast, nlri) == net::Prefix::ip4(0xac100000, 12));
    REQUIRE(cursor.next(nlri));
    CHECK(nlri.length == 0);
    CHECK_FALSE(cursor.next(nlri));
}

TEST_CASE("End-of-RIB is told apart from other empty messages") {  // RFC 4724 section 2
    DecodedUpdate out;
    decode_update(body({}, {}, {}), external(), out);
    CHECK(out.end_of_rib);
    CHECK(out.end_of_rib_family == ipv4_unicast);
    std::array<std::uint8_t, 32> buffer{};
    const Bytes message = end_of_rib(buffer, ipv6_unicast);
    decode_update(message.subspan(header_length), external(), out);
    CHECK(out.end_of_rib);
    CHECK(out.end_of_rib_family == ipv6_unicast);
    decode_update(body({}, good_origin, {}), external(), out);
    CHECK_FALSE(out.end_of_rib);
}

TEST_CASE("each attribute's fault has its treatment") {  // RFC 7606 section 7
    const UpdateRules rules = external();
    UpdateRules interior = external();
    interior.attributes.interior = true;
    using enum Treatment;
    CHECK(treatment(attribute(0x80, 4, {0, 0, 1}), rules) == treat_as_withdraw);
    CHECK(treatment(attribute(0x40, 5, {0, 1}), rules) == none);  // section 7.5
    CHECK(treatment(attribute(0x40, 5, {0, 1}), interior) == treat_as_withdraw);
    CHECK(treatment(attribute(0x40, 6, {1}), rules) == discard_attribute);
    CHECK(treatment(attribute(0xc0, 7, {0, 1, 2, 3, 4, 5}), rules) == discard_attribute);
    CHECK(treatment(attribute(0xc0, 8, {0, 1}), rules) == treat_as_withdraw);
    CHECK(treatment(attribute(0xc0, 8, {}), rules) == treat_as_withdraw);
    CHECK(treatment(attribute(0x80, 9, {1}), rules) == none);  // section 7.9
    CHECK(treatment(attribute(0x80, 9, {1}), interior) == treat_as_withdraw);
    CHECK(treatment(attribute(0x80, 10, {1}), interior) == treat_as_withdraw);
    CHECK(treatment(attribute(0xc0, 16, {1, 2, 3}), rules) == treat_as_withdraw);
    CHECK(treatment(attribute(0xc0, 32, Octets(11)), rules) == treat_as_withdraw);
    CHECK(treatment(attribute(0xc0, 35, {1, 2, 3}), rules) == treat_as_withdraw);
    CHECK(treatment(attribute(0xc0, 4, {0, 0, 0, 1}), rules) == treat_as_withdraw);  // section 3 c
    CHECK(treatment(attribute(0x40, 99, {1}), rules) == reset);  // RFC 4271 section 6.3
    CHECK(treatment(attribute(0x80, 99, {1}), rules) == none);
}

TEST_CASE("a bad path, origin or next hop withdraws") {  // RFC 7606 sections 7.1 to 7.3
    const auto result = [](const Octets& origin, const Octets& path, const Octets& hop) {
        DecodedUpdate out;
        decode_update(body({}, join({origin, path, hop}), one_prefix), external(), out);
        return out.treatment;
    };
    using enum Treatment;
    CHECK(result(good_origin, good_path, good_hop) == none);
    CHECK(result(attribute(0x40, 1, {3}), good_path, good_hop) == treat_as_withdraw);
    CHECK(result(attribute(0x40, 1, {0, 0}), good_path, good_hop) == treat_as_withdraw);
    CHECK(result({}, good_path, good_hop) == treat_as_withdraw);
    CHECK(result(good_origin, {}, good_hop) == treat_as_withdraw);
    CHECK(result(good_origin, good_path, {}) == treat_as_withdraw);
    CHECK(result(good_origin, good_path, attribute(0x40, 3, {224, 0, 0, 1})) == treat_as_withdraw);
    for (const Octets& path :
         {Octets{2}, Octets{2, 0}, Octets{2, 2, 0, 0, 0, 1}, Octets{7, 1, 0, 0, 0, 1},
          Octets{3, 1, 0, 0, 0, 1}, Octets{1, 1, 0, 0, 0, 1}, Octets{2, 1, 0, 0, 0, 0}}) {
        CHECK(result(good_origin, attribute(0x40, 2, path), good_hop) == treat_as_withdraw);
    }
}

TEST_CASE("an attribute running over the list withdraws") {  // RFC 7606 section 4
    CHECK(treatment({0xc0, 8, 8, 0, 1}, external()) == Treatment::treat_as_withdraw);
    CHECK(treatment({0xc0}, external()) == Treatment::treat_as_withdraw);
    CHECK(treatment({0xd0, 8, 0}, external()) == Treatment::treat_as_withdraw);
}

// RFC 7606 section 3 j: prefixes that cannot be told cannot be withdrawn.
TEST_CASE("an MP attribute running over the list closes the session, prefixes elsewhere or not") {
    DecodedUpdate out;
    const Octets plain = join({good_origin, good_path, good_hop});
    for (const std::uint8_t code : {code::mp_reach, code::mp_unreach}) {
        const Octets broken{flag::optional, code, 20, 0, 2, 1};
        decode_update(body({}, join({plain, broken}), {24, 10, 0, 0}), external(), out);
        CHECK(out.treatment == Treatment::reset);
        CHECK(out.error.subcode == update_error::malformed_attributes);
    }
}

TEST_CASE("of repeated attributes the first counts, but not of MP ones") {  // RFC 7606 section 3 g
    DecodedUpdate out;
    const Octets message =
        body({},
             join({good_origin, good_path, good_hop, attribute(0x80, 4, {0, 0, 0, 1}),
                   attribute(0x80, 4, {0, 0, 0, 2})}),
             one_prefix);
    decode_update(message, external(), out);
    CHECK(out.treatment == Treatment::none);
    CHECK(out.find(code::med)->payload[3] == 1);
    const Octets unreach = attribute(0x80, 15, {0, 2, 1});
    CHECK(treatment(join({unreach, unreach}), external()) == Treatment::reset);
}

TEST_CASE("broken prefixes close the session") {  // RFC 7606 section 5.3
    DecodedUpdate out;
    const Octets attributes = join({good_origin, good_path, good_hop});
    for (const Octets& prefixes : {Octets{33, 1, 2, 3, 4, 5}, Octets{24, 10, 0}}) {
        decode_update(body({}, attributes, prefixes), external(), out);
        CHECK(out.treatment == Treatment::reset);
        CHECK(out.error.subcode == update_error::invalid_network);
        decode_update(body(prefixes, {}, {}), external(), out);
        CHECK(out.treatment == Treatment::reset);
    }
    Octets wrong = body({}, attributes, {});
    wrong[3] = 0xff;
    decode_update(wrong, external(), out);
    CHECK(out.error == Notification{ErrorCode::update, 1, {}});
}

TEST_CASE("an error without reachable prefixes closes the session") {  // RFC 7606 section 5.2
    DecodedUpdate out;
    decode_update(body(one_prefix, attribute(0x40, 1, {9}), {}), external(), out);
    CHECK(out.treatment == Treatment::reset);
    decode_update(body(one_prefix, attribute(0x40, 6, {9}), {}), external(), out);
    CHECK(out.treatment == Treatment::discard_attribute);
}

TEST_CASE("MP_REACH carries IPv6 prefixes with one or two next hops") {  // RFC 2545 section 3
    for (const std::uint8_t length : {std::uint8_t{16}, std::uint8_t{32}}) {
        Octets payload{0, 2, 1, length};
        Octets hop(length, 0);
        hop[0] = 0x20;
        hop[15] = 1;
        if (length == 32) {
            hop[16] = 0xfe;
            hop[17] = 0x80;
            hop[31] = 2;
        }
        payload.insert(payload.end(), hop.begin(), hop.end());
        payload.insert(payload.end(), {0, 32, 0x20, 1, 0xd, 0xb8});
        DecodedUpdate out;
        const Octets message =
            body({}, join({attribute(0x80, 14, payload), good_origin, good_path}), {});
        decode_update(message, external(), out);
        CHECK(out.treatment == Treatment::none);
        CHECK(count(out.mp_announced.nlri) == 1);
        const NextHop read = read_next_hop(out.mp_announced.next_hop);
        CHECK(read.address == net::IpAddress::v6(0x2000000000000000, 1));
        CHECK(read.link_local.is_link_local() == (length == 32));
    }
}

TEST_CASE("a wrong next hop length in MP_REACH closes the session") {  // RFC 7606 section 7.11
    CHECK(treatment(attribute(0x80, 14, {0, 2, 1, 4, 1, 2, 3, 4, 0}), external()) ==
          Treatment::reset);
    CHECK(treatment(attribute(0x80, 14, {0, 2, 1, 16, 1, 2}), external()) == Treatment::reset);
    // A family that was not agreed upon is ignored (RFC 4760 section 7).
    CHECK(treatment(attribute(0x80, 14, {0, 9, 1, 4, 1, 2, 3, 4, 0}), external()) ==
          Treatment::none);
}

TEST_CASE("an unknown transitive attribute is kept as partial") {  // RFC 4271 section 9
    DecodedUpdate out;
    const Octets message = body(
        {}, join({good_origin, good_path, good_hop, attribute(0xc0, 200, {1, 2})}), one_prefix);
    decode_update(message, external(), out);
    REQUIRE(out.find(200) != nullptr);
    CHECK(out.find(200)->flags == (flag::optional | flag::transitive | flag::partial));
}

TEST_CASE("AS4_PATH is merged behind what old speakers prepended") {  // RFC 6793 section 4.2.3
    UpdateRules rules = external();
    rules.attributes.as4 = false;
    const Octets path = attribute(0x40, 2, {2, 3, 0, 5, 0x5b, 0xa0, 0, 7});
    const Octets as4 = attribute(0xc0, 17, {2, 2, 0, 6, 0x1a, 0x80, 0, 0, 0, 7});
    const auto result = [&](const Octets& extra) {
        DecodedUpdate out;
        const Octets message =
            body({}, join({as4, good_origin, path, good_hop, extra}), one_prefix);
        decode_update(message, rules, out);
        REQUIRE(out.treatment == Treatment::none);
        const Bytes found = out.find(code::as_path)->payload;
        return Octets(found.begin(), found.end());
    };
    CHECK(result({}) == Octets{2, 1, 0, 0, 0, 5, 2, 2, 0, 6, 0x1a, 0x80, 0, 0, 0, 7});
    // An aggregator that is not AS_TRANS shows that an old speaker aggregated: both are ignored.
    CHECK(result(attribute(0xc0, 7, {0, 9, 1, 1, 1, 1})) ==
          Octets{2, 3, 0, 0, 0, 5, 0, 0, 0x5b, 0xa0, 0, 0, 0, 7});
}

TEST_CASE("a longer AS4_PATH is ignored") {  // RFC 6793 section 4.2.3
    Octets out;
    const Octets path{2, 1, 0, 0, 0, 5};
    const Octets as4{2, 2, 0, 0, 0, 6, 0, 0, 0, 7};
    merge_as4_path(path, as4, out);
    CHECK(out == path);
}

TEST_CASE("prepending joins a segment until it is full") {  // RFC 4271 section 5.1.2
    Octets path;
    for (unsigned i = 0; i < 600; ++i) {
        Octets next;
        prepend_as(path, {SegmentType::sequence, i + 1}, next);
        path = next;
    }
    CHECK(check_as_path(path, {}) == PathFault::none);
    CHECK(count_as_path(path) == 600);
    CHECK(path.size() == 600 * 4 + 3 * 2);
}

TEST_CASE("repeated large communities are received once") {  // RFC 8092 section 5
    Octets list(36, 0);
    list[3] = 2;
    list[15] = 1;
    list[27] = 2;
    DecodedUpdate out;
    const Octets message =
        body({}, join({good_origin, good_path, good_hop, attribute(0xc0, 32, list)}), one_prefix);
    decode_update(message, external(), out);
    CHECK(out.find(code::large_community)->payload.size() == 24);
}

TEST_CASE("packed messages hold what was put in, at every size") {  // RFC 4271 section 4.3
    std::mt19937 random(7);
    for (const bool multiprotocol : {false, true}) {
        for (std::size_t size : {64UL, 100UL, 4096UL, 65535UL}) {
            Octets buffer(size);
            Octets attributes = join({good_origin, good_path});
            if (!multiprotocol) attributes = join({attributes, good_hop});
            const Octets hop(multiprotocol ? 16 : 0, 0x20);
            const PackFormat format{multiprotocol ? ipv6_unicast : ipv4_unicast, false,
                                    multiprotocol};
            AnnouncePacker packer(buffer, format, attributes, hop);
            unsigned sent = 0;
            unsigned received = 0;
            DecodedUpdate out;
            const auto flush = [&] {
                const Bytes message = packer.finish();
                REQUIRE(frame(message, message_max_extended)->complete);
                decode_update(message.subspan(header_length), external(), out);
                REQUIRE(out.treatment == Treatment::none);
                received += count(out.announced.nlri) + count(out.mp_announced.nlri);
            };
            for (int i = 0; i < 20000; ++i) {
                Nlri nlri;
                nlri.length = static_cast<std::uint8_t>(random() % 25);
                if (!packer.fits(nlri)) continue;
                if (!packer.add(nlri)) {
                    flush();
                    REQUIRE(packer.add(nlri));
                }
                ++sent;
            }
            if (sent != 0) flush();
            CHECK(received == sent);
        }
    }
}

TEST_CASE("packed withdrawals hold what was put in") {  // RFC 4760 section 4
    for (const bool multiprotocol : {false, true}) {
        Octets buffer(message_max);
        const PackFormat format{multiprotocol ? ipv6_unicast : ipv4_unicast, false, multiprotocol};
        WithdrawPacker packer(buffer, format);
        unsigned received = 0;
        DecodedUpdate out;
        const auto flush = [&] {
            decode_update(packer.finish().subspan(header_length), external(), out);
            REQUIRE(out.treatment == Treatment::none);
            received += count(out.withdrawn) + count(out.mp_withdrawn);
        };
        for (unsigned i = 0; i < 5000; ++i) {
            Nlri nlri;
            nlri.length = 24;
            if (packer.add(nlri)) continue;
            flush();
            REQUIRE(packer.add(nlri));
        }
        flush();
        CHECK(received == 5000);
    }
}

TEST_CASE("random octets never break the decoder") {
    std::mt19937 random(Catch::rngSeed());
    CAPTURE(Catch::rngSeed());
    DecodedUpdate out;
    UpdateRules rules = external();
    const Octets good = body({16, 192, 168}, join({good_origin, good_path, good_hop}), one_prefix);
    for (int i = 0; i < 20000; ++i) {
        Octets message = good;
        for (int j = 0; j < 3; ++j) {
            message[random() % message.size()] = static_cast<std::uint8_t>(random());
        }
        rules.attributes.as4 = random() % 2 == 0;
        decode_update(message, rules, out);
        if (out.treatment == Treatment::reset) continue;
        CHECK(count(out.announced.nlri) <= message.size());
    }
}

}  // namespace tern::bgp::wire
