#include "router/proto/bgp/path_checks.h"

#include "router/proto/bgp/attributes.h"
#include "router/proto/bgp/wire/attr_as_path.h"

namespace tern::bgp {

namespace {

Bytes payload(const wire::DecodedUpdate& update, std::uint8_t code) {
    const wire::PathAttribute* attribute = update.find(code);
    return attribute == nullptr ? Bytes{} : attribute->payload;
}

bool first_as_is(Bytes path, AsNumber as) {
    return path.size() >= 6 && load_u32(path.data() + 2) == as.value();
}

PathVerdict check_reflection(const wire::DecodedUpdate& update, const SessionFacts& session) {
    const Bytes originator = payload(update, wire::code::originator_id);
    if (!originator.empty() && load_u32(originator.data()) == session.local_id.value()) {
        return PathVerdict::own_originator;
    }
    const Bytes clusters = payload(update, wire::code::cluster_list);
    for (std::size_t i = 0; i < clusters.size(); i += 4) {
        if (load_u32(clusters.data() + i) == session.cluster_id.value()) {
            return PathVerdict::own_cluster;
        }
    }
    return PathVerdict::ok;
}

// RFC 9234 section 5: ingress rules 1 and 2.
bool is_leak(const wire::DecodedUpdate& update, const SessionFacts& session) {
    const Bytes otc = payload(update, wire::code::otc);
    if (otc.empty() || !session.local_role) return false;
    switch (*session.local_role) {
        case wire::Role::provider:
        case wire::Role::rs_server:
            return true;
        case wire::Role::peer:
            return load_u32(otc.data()) != session.remote_as.value();
        case wire::Role::customer:
        case wire::Role::rs_client:
            return false;
    }
    return false;
}

}  // namespace

std::string_view verdict_text(PathVerdict verdict) {
    switch (verdict) {
        case PathVerdict::ok:
            return "ok";
        case PathVerdict::own_as:
            return "own AS in path";
        case PathVerdict::own_confederation:
            return "own confederation in path";
        case PathVerdict::own_originator:
            return "own originator ID";
        case PathVerdict::own_cluster:
            return "own cluster ID";
        case PathVerdict::wrong_first_as:
            return "first AS is not the neighbor's";
        case PathVerdict::role_leak:
            return "route leak";
    }
    return "?";
}

unsigned count_as(Bytes path, AsNumber as) {
    unsigned count = 0;
    wire::each_segment(path, [&](wire::SegmentType, Bytes numbers) {
        for (std::size_t i = 0; i < numbers.size(); i += 4) {
            if (load_u32(numbers.data() + i) == as.value()) ++count;
        }
        return true;
    });
    return count;
}

PathVerdict check_path(const wire::DecodedUpdate& update, const SessionFacts& session) {
    const Bytes path = payload(update, wire::code::as_path);
    if (session.kind == PeerKind::external && session.enforce_first_as &&
        !first_as_is(path, session.remote_as)) {
        return PathVerdict::wrong_first_as;
    }
    if (count_as(path, session.local_as) > session.allow_local_as) return PathVerdict::own_as;
    if (session.has_confederation && session.public_as != session.local_as &&
        count_as(path, session.public_as) > session.allow_local_as) {
        return PathVerdict::own_confederation;
    }
    if (session.kind == PeerKind::internal) {
        const PathVerdict verdict = check_reflection(update, session);
        if (verdict != PathVerdict::ok) return verdict;
    }
    return is_leak(update, session) ? PathVerdict::role_leak : PathVerdict::ok;
}

void complete_import(const SessionFacts& session, attr::AttributeList& list) {
    if (!list.has(id::local_pref)) {
        list.set({id::local_pref,
                  attr::ValueType::int_,
                  wire::flag::transitive,
                  session.default_local_pref,
                  {}});
    }
    if (!session.local_role || list.has(id::otc)) return;
    const wire::Role role = *session.local_role;
    // We are customer, peer or rs_client: the neighbour is provider, peer or route server.
    if (role == wire::Role::customer || role == wire::Role::peer || role == wire::Role::rs_client) {
        list.set({id::otc,
                  attr::ValueType::int_,
                  wire::flag::optional | wire::flag::transitive,
                  session.remote_as.value(),
                  {}});
    }
}

}  // namespace tern::bgp
