#include "alloc/arena.h"
#include "router/attr/attribute_store.h"
#include "router/proto/bgp/attributes.h"
#include "router/proto/bgp/best_path.h"
#include "router/proto/bgp/export_attributes.h"
#include "router/proto/bgp/path_checks.h"
#include "router/proto/bgp/wire/attr_as_path.h"

#include <memory>

#include <catch2/catch.hpp>

namespace tern::bgp {

namespace {

using Octets = std::vector<std::uint8_t>;

/// Makes interned sets and gives them back at the end.
class Sets {
  public:
    ~Sets() {
        for (const attr::AttributeSet* set : made_)
            store_.release(set);
    }

    struct Word {
        attr::AttributeId id;
        std::uint32_t word;
    };

    const attr::AttributeSet& make(std::initializer_list<Word> words, const Octets& path) {
        attr::AttributeList list(arena_, nullptr);
        for (const Word& word : words) {
            const auto code = static_cast<std::uint8_t>(word.id - attr::bgp_base);
            list.set_word(word.id, attribute_type(code), word.word);
        }
        list.set_bytes(id::as_path, attr::ValueType::as_path, path);
        made_.push_back(store_.intern(list));
        return *made_.back();
    }

    const attr::AttributeSet& with_bytes(attr::AttributeId id, const Octets& bytes) {
        attr::AttributeList list(arena_, nullptr);
        const auto code = static_cast<std::uint8_t>(id - attr::bgp_base);
        list.set_bytes(id, attribute_type(code), bytes);
        made_.push_back(store_.intern(list));
        return *made_.back();
    }

  private:
    attr::AttributeStore store_;
    alloc::Arena arena_;
    std::vector<const attr::AttributeSet*> made_;
};

const Octets path_1{2, 1, 0, 0, 0, 1};
const Octets path_2{2, 1, 0, 0, 0, 2};
const Octets path_12{2, 2, 0, 0, 0, 1, 0, 0, 0, 2};

}  // namespace

TEST_CASE(
    "each step of the ladder decides what the former left open") {  // RFC 4271 section 9.1.2.2
    Sets sets;
    SessionFacts session;
    session.remote_id = RouterId(5);
    session.remote_address = net::IpAddress::v4(5);
    const BestPathInputs base{&sets.make({}, path_1), &session};
    const auto wins = [](const BestPathInputs& a, const BestPathInputs& b) {
        CHECK(better(a, b));
        CHECK_FALSE(better(b, a));
    };
    CHECK_FALSE(better(base, base));
    BestPathInputs other = base;
    other.suppressed = true;
    wins(base, other);
    other = base;
    other.resolvable = false;
    wins(base, other);
    other = base;
    other.stale = true;
    wins(base, other);
    other = base;
    other.attributes = &sets.make({{id::local_pref, 101}}, path_12);
    wins(other, base);
    other.attributes = &sets.make({}, path_12);
    wins(base, other);
    other.attributes = &sets.make({{id::origin, 0}}, path_1);
    wins(other, base);
    other.attributes = &sets.make({{id::med, 1}}, path_1);
    wins(base, other);
    other = base;
    other.local_metric = 7;
    wins(base, other);
    SessionFacts second = session;
    second.kind = PeerKind::internal;
    other = base;
    other.session = &second;
    wins(base, other);
    second = session;
    second.remote_id = RouterId(4);
    wins(other, base);
    second = session;
    second.remote_address = net::IpAddress::v4(4);
    wins(other, base);
}

TEST_CASE(
    "MED of different neighbours is not compared unless asked") {  // RFC 4271 section 9.1.2.2 c
    Sets sets;
    SessionFacts session;
    const BestPathInputs a{&sets.make({{id::med, 9}}, path_1), &session};
    const BestPathInputs b{&sets.make({{id::med, 1}}, path_2), &session};
    CHECK_FALSE(better(a, b));
    CHECK_FALSE(better(b, a));
    CHECK(mergeable(a, b));
    session.med_metric = true;
    CHECK(better(b, a));
    CHECK_FALSE(mergeable(a, b));
}

TEST_CASE("the older external route stays when so configured") {  // RFC 5004 section 3
    Sets sets;
    SessionFacts low;
    SessionFacts high;
    low.remote_id = RouterId(1);
    high.remote_id = RouterId(2);
    high.prefer_older = true;
    const attr::AttributeSet& set = sets.make({}, path_1);
    const BestPathInputs newer{&set, &low, 20};
    const BestPathInputs older{&set, &high, 10};
    CHECK(better(older, newer));
    CHECK_FALSE(better(newer, older));
    high.prefer_older = false;
    CHECK(better(newer, older));
}

TEST_CASE("well-known communities and reflection limit the export") {  // RFC 1997, RFC 4456
    Sets sets;
    SessionFacts from;
    SessionFacts to;
    to.cluster_id = RouterId(9);
    const attr::AttributeSet& plain = sets.make({}, path_1);
    from.kind = to.kind = PeerKind::internal;
    CHECK(may_export(plain, &from, to) == ExportRule::not_reflected);
    CHECK(may_export(plain, nullptr, to) == ExportRule::allowed);
    to.rr_client = true;
    CHECK(may_export(plain, &from, to) == ExportRule::allowed);
    const attr::AttributeSet& looped = sets.with_bytes(id::cluster_list, {0, 0, 0, 9});
    CHECK(may_export(looped, &from, to) == ExportRule::cluster_loop);
    const attr::AttributeSet& local = sets.with_bytes(id::community, {255, 255, 255, 1});
    CHECK(may_export(local, &from, to) == ExportRule::allowed);
    to.kind = PeerKind::external;
    CHECK(may_export(local, &from, to) == ExportRule::community);
    to.interpret_communities = false;
    CHECK(may_export(local, &from, to) == ExportRule::allowed);
    to.local_role = wire::Role::customer;  // RFC 9234 section 5
    CHECK(may_export(sets.make({{id::otc, 4}}, path_1), &from, to) == ExportRule::only_to_customer);
}

TEST_CASE("an exported route decodes to what the neighbour shall see") {  // RFC 4271 section 5
    Sets sets;
    SessionFacts from;
    SessionFacts to;
    to.public_as = to.local_as = AsNumber(400000);
    const attr::AttributeSet& set =
        sets.make({{id::origin, 1}, {id::med, 5}, {id::local_pref, 200}}, path_1);
    for (const bool as4 : {true, false}) {
        to.as4 = as4;
        ExportInputs route{set, &from};
        route.hop.hop.address = net::IpAddress::v4(0x0a000001);
        Octets attributes;
        REQUIRE(encode_export(route, to, attributes));
        Octets body{0, 0, 0, static_cast<std::uint8_t>(attributes.size())};
        body.insert(body.end(), attributes.begin(), attributes.end());
        body.insert(body.end(), {8, 10});
        const wire::FamilyRules family{wire::ipv4_unicast, false, false};
        wire::UpdateRules rules{{}, {&family, 1}};
        rules.attributes.as4 = as4;
        wire::DecodedUpdate update;
        wire::decode_update(body, rules, update);
        REQUIRE(update.treatment == wire::Treatment::none);
        const Bytes path = update.find(wire::code::as_path)->payload;
        CHECK(Octets(path.begin(), path.end()) == Octets{2, 2, 0, 6, 0x1a, 0x80, 0, 0, 0, 1});
        CHECK(update.find(wire::code::origin)->payload[0] == 1);
        CHECK(update.find(wire::code::med) == nullptr);
        CHECK(update.find(wire::code::local_pref) == nullptr);
    }
}

TEST_CASE("loops, first AS and leaks are seen on import") {  // RFC 4271 section 9.1.2, RFC 9234
    SessionFacts session;
    session.local_as = session.public_as = AsNumber(64500);
    session.remote_as = AsNumber(1);
    Octets attributes;
    wire::put_attribute(attributes, {wire::code::origin, 0x40, Octets{0}});
    const Octets path{2, 2, 0, 0, 0, 1, 0, 0, 0xfb, 0xf4};
    const Octets hop{10, 0, 0, 1};
    const Octets otc{0, 0, 0, 7};
    wire::put_attribute(attributes, {wire::code::as_path, 0x40, path});
    wire::put_attribute(attributes, {wire::code::next_hop, 0x40, hop});
    wire::put_attribute(attributes, {wire::code::otc, 0xc0, otc});
    Octets body{0, 0, 0, static_cast<std::uint8_t>(attributes.size())};
    body.insert(body.end(), attributes.begin(), attributes.end());
    body.insert(body.end(), {8, 10});
    wire::DecodedUpdate update;
    wire::decode_update(body, {}, update);
    CHECK(check_path(update, session) == PathVerdict::own_as);
    session.allow_local_as = 1;
    CHECK(check_path(update, session) == PathVerdict::ok);
    session.local_role = wire::Role::provider;
    CHECK(check_path(update, session) == PathVerdict::role_leak);
    session.local_role = wire::Role::customer;
    CHECK(check_path(update, session) == PathVerdict::ok);
    session.enforce_first_as = true;
    session.remote_as = AsNumber(3);
    CHECK(check_path(update, session) == PathVerdict::wrong_first_as);
}

}  // namespace tern::bgp
