#include "router/proto/bgp/collision.h"
#include "router/proto/bgp/error_policy.h"
#include "router/proto/bgp/fsm.h"
#include "router/proto/bgp/negotiate.h"
#include "router/proto/bgp/next_hop_policy.h"

#include <catch2/catch.hpp>

namespace tern::bgp {

namespace {

wire::OpenMessage open_of(std::uint32_t as, std::uint32_t router_id) {
    wire::OpenMessage open;
    open.as = AsNumber(as);
    open.hold_time = 240;
    open.router_id = RouterId(router_id);
    open.capabilities.present = true;
    open.capabilities.as4 = as;
    open.capabilities.multiprotocol = {wire::ipv4_unicast, wire::ipv6_unicast};
    return open;
}

NegotiationPolicy policy_of(std::uint32_t local, std::uint32_t remote) {
    NegotiationPolicy policy;
    policy.local_as = AsNumber(local);
    policy.remote_as = AsNumber(remote);
    policy.families = {{wire::ipv4_unicast}, {wire::ipv6_unicast}};
    return policy;
}

std::uint8_t refusal(const NegotiationPolicy& policy, const wire::OpenMessage& remote) {
    const auto result = negotiate(policy, open_of(policy.local_as.value(), 1), remote);
    return result ? std::uint8_t{0} : result.error().subcode;
}

}  // namespace

TEST_CASE("a session comes up and stays up") {  // RFC 4271 section 8.2.2
    State state = State::idle;
    const auto step = [&](Event event) {
        const Transition t = transition(state, event);
        state = t.next;
        return t.actions;
    };
    CHECK((step(Event::start) & open_connection) != 0);
    CHECK((step(Event::connected) & send_open) != 0);
    CHECK((step(Event::open_received) & send_keepalive) != 0);
    CHECK((step(Event::keepalive_received) & session_up) != 0);
    CHECK(state == State::established);
    CHECK((step(Event::update_received) & process_update) != 0);
    CHECK((step(Event::keepalive_expires) & send_keepalive) != 0);
    CHECK((step(Event::hold_expires) & session_down) != 0);
    CHECK(state == State::idle);
}

TEST_CASE("what ends a session ends it in every state") {  // RFC 4271 section 8.2.2
    for (std::size_t i = 1; i < state_count; ++i) {
        const State state = static_cast<State>(i);
        for (Event event : {Event::stop, Event::header_bad, Event::notification}) {
            CHECK(transition(state, event).next == State::idle);
            CHECK((transition(state, event).actions & close) != 0);
        }
        const bool up = state == State::established;
        for (std::size_t e = 0; e < event_count; ++e) {
            const Transition t = transition(state, static_cast<Event>(e));
            const bool leaves = up && t.next != State::established;
            CHECK(((t.actions & session_down) != 0) == leaves);
        }
    }
}

TEST_CASE("an unexpected message is answered by 5/x") {  // RFC 6608 section 3
    CHECK((transition(State::open_sent, Event::update_received).actions & send_state_error) != 0);
    CHECK((transition(State::open_confirm, Event::open_received).actions & send_state_error) != 0);
    CHECK((transition(State::established, Event::open_received).actions & send_state_error) != 0);
    CHECK(state_name(State::open_confirm) == "OpenConfirm");
}

TEST_CASE("the higher identifier keeps its connection") {  // RFC 4271 section 6.8
    CHECK(resolve_collision({RouterId(2), AsNumber(1)}, {RouterId(1), AsNumber(2)}) ==
          Survivor::outgoing);
    CHECK(resolve_collision({RouterId(1), AsNumber(2)}, {RouterId(2), AsNumber(1)}) ==
          Survivor::incoming);
    // RFC 6286 section 2.3.
    CHECK(resolve_collision({RouterId(1), AsNumber(2)}, {RouterId(1), AsNumber(1)}) ==
          Survivor::outgoing);
}

TEST_CASE("the neighbour has to be in the right AS with a valid identifier") {  // RFC 6286
    CHECK(refusal(policy_of(1, 2), open_of(2, 9)) == 0);
    CHECK(refusal(policy_of(1, 2), open_of(3, 9)) == wire::open_error::bad_peer_as);
    CHECK(refusal(policy_of(1, 2), open_of(2, 0)) == wire::open_error::bad_identifier);
    CHECK(refusal(policy_of(1, 1), open_of(1, 1)) == wire::open_error::bad_identifier);
    CHECK(refusal(policy_of(1, 2), open_of(2, 1)) == 0);
    NegotiationPolicy any = policy_of(1, 0);
    any.remote_rule = RemoteAsRule::external;
    CHECK(refusal(any, open_of(7, 9)) == 0);
    CHECK(refusal(any, open_of(1, 9)) == wire::open_error::bad_peer_as);
}

TEST_CASE("timers shrink to the lower hold time") {  // RFC 4271 section 4.2
    NegotiationPolicy policy = policy_of(1, 2);
    policy.keepalive_time = 80;
    wire::OpenMessage remote = open_of(2, 9);
    remote.hold_time = 30;
    const auto result = negotiate(policy, open_of(1, 1), remote);
    REQUIRE(result);
    CHECK(result->hold_time == 30);
    CHECK(result->keepalive_time == 10);
    CHECK(result->send_hold_time == 60);
    remote.hold_time = 0;
    CHECK(negotiate(policy, open_of(1, 1), remote)->keepalive_time == 0);
    remote.hold_time = 2;
    CHECK(refusal(policy, remote) == wire::open_error::unacceptable_hold_time);
    policy.min_hold_time = 60;
    remote.hold_time = 30;
    CHECK(refusal(policy, remote) == wire::open_error::unacceptable_hold_time);
}

TEST_CASE("roles have to be counterparts") {  // RFC 9234 section 4.2
    const auto result = [](wire::Role ours, std::optional<wire::Role> theirs, bool strict) {
        NegotiationPolicy policy = policy_of(1, 2);
        policy.require_roles = strict;
        wire::OpenMessage local = open_of(1, 1);
        wire::OpenMessage remote = open_of(2, 9);
        local.capabilities.role = ours;
        remote.capabilities.role = theirs;
        return negotiate(policy, local, remote).has_value();
    };
    using enum wire::Role;
    CHECK(result(provider, customer, false));
    CHECK(result(rs_client, rs_server, false));
    CHECK(result(peer, wire::Role::peer, true));
    CHECK_FALSE(result(provider, provider, false));
    CHECK_FALSE(result(peer, customer, false));
    CHECK(result(peer, std::nullopt, false));
    CHECK_FALSE(result(peer, std::nullopt, true));
}

TEST_CASE("families, path ids and next hops need both sides") {  // RFC 7911, RFC 8950
    wire::OpenMessage local = open_of(1, 1);
    wire::OpenMessage remote = open_of(2, 9);
    local.capabilities.add_path = {{wire::ipv4_unicast, true, true}};
    remote.capabilities.add_path = {{wire::ipv4_unicast, false, true}};
    remote.capabilities.multiprotocol = {wire::ipv4_unicast};
    local.capabilities.extended_next_hop = {{wire::ipv4_unicast, wire::afi_ipv6}};
    NegotiationPolicy policy = policy_of(1, 2);
    const auto result = negotiate(policy, local, remote);
    REQUIRE(result);
    REQUIRE(result->families.size() == 1);
    CHECK(result->families[0].receive.path_ids);
    CHECK_FALSE(result->families[0].send_path_ids);
    CHECK_FALSE(result->families[0].receive.extended_next_hop);
    policy.families[1].mandatory = true;
    CHECK(negotiate(policy, local, remote).error().subcode == wire::open_error::missing_capability);
    policy.families = {{wire::ipv6_unicast}};
    CHECK(negotiate(policy, local, remote).error().subcode == wire::open_error::no_family);
    remote.capabilities = {};
    policy.families = {{wire::ipv4_unicast}};
    CHECK(negotiate(policy, local, remote).has_value());  // RFC 4760 section 8
}

TEST_CASE("next hops are kept inside and replaced outside") {  // RFC 4271 section 5.1.3
    SessionFacts to;
    to.remote_address = net::IpAddress::v4(0x0a000002);
    to.interface = InterfaceId(3);
    SessionFacts from;
    from.interface = InterfaceId(4);
    HopPolicy policy;
    policy.own.address = net::IpAddress::v4(0x0a000001);
    HopInputs route;
    route.current.address = net::IpAddress::v4(0x0b000001);
    route.source = &from;
    CHECK(choose_next_hop(policy, route, to)->self);
    from.interface = InterfaceId(3);  // third party on a shared link
    CHECK(choose_next_hop(policy, route, to)->hop == route.current);
    policy.self = HopSwitch::ebgp;
    CHECK(choose_next_hop(policy, route, to)->self);
    policy.self = HopSwitch::ibgp;
    CHECK_FALSE(choose_next_hop(policy, route, to)->self);
    to.kind = PeerKind::internal;
    from.interface = InterfaceId(4);
    CHECK_FALSE(choose_next_hop(policy, route, to)->self);
    route.current.address = to.remote_address;
    CHECK(choose_next_hop(policy, route, to).error() == HopError::neighbour_address);
    policy = {};
    route.current = {};
    CHECK(choose_next_hop(policy, route, to).error() == HopError::no_next_hop);
}

TEST_CASE("a next hop of the other family needs RFC 8950") {
    SessionFacts to;
    HopPolicy policy;
    policy.keep = HopSwitch::on;
    HopInputs route;
    route.current.address = net::IpAddress::v6(0x2001000000000000, 1);
    CHECK(choose_next_hop(policy, route, to).error() == HopError::wrong_family);
    policy.extended = true;
    CHECK(choose_next_hop(policy, route, to)->hop == route.current);
}

TEST_CASE("an error turns announcements into withdrawals") {  // RFC 7606 section 2
    wire::DecodedUpdate update;
    const std::vector<std::uint8_t> prefixes{8, 10};
    update.announced.nlri = {wire::ipv4_unicast, false, prefixes};
    CHECK(judge(update, false).announced().size() == 1);
    CHECK(judge(update, true).withdrawn().size() == 1);
    update.treatment = wire::Treatment::treat_as_withdraw;
    CHECK(judge(update, false).announced().empty());
    CHECK(judge(update, false).withdrawn().size() == 1);
    update.treatment = wire::Treatment::reset;
    CHECK(judge(update, false).reset);
    CHECK(judge(update, false).withdrawn().empty());
}

}  // namespace tern::bgp
