#include "router/proto/bgp/export_group.h"

#include "router/attr/core_attributes.h"
#include "router/proto/bgp/attributes.h"
#include "router/proto/bgp/route_class.h"
#include "router/proto/bgp/wire/route_refresh.h"

#include <algorithm>

namespace tern::bgp {

namespace {

using channel::ExportedRoute;

/// What of a session's facts decides about what it is told; the rest says who it is.
bool same_export_facts(const SessionFacts& a, const SessionFacts& b) {
    return a.kind == b.kind && a.local_as == b.local_as && a.public_as == b.public_as &&
           a.local_id == b.local_id && a.cluster_id == b.cluster_id &&
           a.local_address == b.local_address && a.local_link_local == b.local_link_local &&
           a.interface == b.interface && a.local_role == b.local_role &&
           a.has_confederation == b.has_confederation && a.rr_client == b.rr_client &&
           a.rs_client == b.rs_client && a.as4 == b.as4 && a.llgr_aware == b.llgr_aware &&
           a.multihop == b.multihop && a.allow_local_pref == b.allow_local_pref &&
           a.allow_med == b.allow_med && a.interpret_communities == b.interpret_communities;
}

bool same_settings(const channel::ExportSettings& a, const channel::ExportSettings& b) {
    return filter::same_filter(a.filter, b.filter) && a.inside == b.inside && a.limit == b.limit &&
           a.mode == b.mode && a.secondary == b.secondary && a.settle == b.settle;
}

/// The route's gateway if it is a single, global one.
void set_gateway(HopInputs& in, const attr::AttributeSet& attributes) {
    const attr::NextHopListView hops = attr::next_hops(attributes);
    if (hops.count() != 1) return;
    const attr::NextHop hop = hops.front();
    if (hop.gateway.is_unspecified() || hop.gateway.is_link_local()) return;
    in.gateway = hop.gateway;
    in.gateway_interface = hop.interface;
}

}  // namespace

bool ExportProfile::same_as(const ExportProfile& other) const {
    return table == other.table && same_settings(settings, other.settings) &&
           same_export_facts(facts, other.facts) && hop.family == other.hop.family &&
           hop.self == other.hop.self && hop.keep == other.hop.keep &&
           hop.extended == other.hop.extended && hop.own == other.hop.own &&
           link_local == other.link_local && aigp.enabled == other.aigp.enabled &&
           aigp.originate == other.aigp.originate && path_ids == other.path_ids &&
           message_max == other.message_max;
}

ExportGroup::ExportGroup(const ExportProfile& profile, const Place& place)
    : profile_(profile),
      serial_(place.serial),
      domain_("export group"),
      loop_(place.threads, domain_, "export group of " + profile.table->name()),
      path_(*profile.table, loop_, place.environment, *this, *this),
      patience_(loop_, loops::callback<&ExportGroup::on_out_of_patience>(*this)),
      message_(profile.message_max) {
    profile_.facts.remote_address = {};  // the members' own addresses are looked at one by one
}

ExportGroup::~ExportGroup() = default;

void ExportGroup::start() {
    feed_ = Feed::initial;
    path_.start(profile_.settings);
}

void ExportGroup::take_over(ExportGroup& other, ExportMember& member, Need need) {
    // What the member was promised stays owed: End-of-RIB, or the mark of a refresh's end.
    feed_ = other.feed_;
    if (need == Need::refresh && feed_ == Feed::quiet) feed_ = Feed::refresh;
    const std::uint32_t old_number = member.place.number;
    ExportStream::Member rest = member.place;
    members_.push_back(&member);
    stream_.join(member.place);
    other.stream_.copy_rest(rest, stream_);
    inherit_left_out(other, old_number, member.place.number);
    // RFC 7313 section 4: no mark before the first End-of-RIB.
    if (need == Need::refresh && feed_ == Feed::refresh && profile_.enhanced_refresh) {
        append(wire::encode_route_refresh({profile_.hop.family, wire::RefreshKind::begin}), {});
    }
    path_.start_as(other.path_, profile_.settings);
    if (need != Need::nothing) path_.refeed();
    std::swap(member.place, rest);
    other.remove(member);
    member.place = rest;
    member.group = this;
    signal_members();
}

/// What a member was not told by its old group it was not told here either. With three of them left
/// out one may get a withdrawal too many, never one too few.
void ExportGroup::inherit_left_out(const ExportGroup& other,
                                   std::uint32_t old_number,
                                   std::uint32_t number) {
    for (std::size_t chunk = 0; chunk < other.left_out_.size(); ++chunk) {
        for (std::size_t i = 0; other.left_out_[chunk] != nullptr && i < chunk_size; ++i) {
            const std::uint32_t left = other.left_out_[chunk][i];
            if (left != old_number && left != everybody) continue;
            const net::PrefixId id{static_cast<std::uint32_t>(chunk * chunk_size + i)};
            if (left == everybody) {
                set_left_out(id, everybody);
            } else if (is_member(left_out(id))) {
                leave_out_too(id, number);
            } else {
                set_left_out(id, number);
            }
        }
    }
    for (const auto& [id, member] : other.left_out_too_) {
        if (member == old_number) leave_out_too(net::PrefixId{id}, number);
    }
}

bool ExportGroup::is_member(std::uint32_t number) const {
    return std::any_of(members_.begin(), members_.end(),
                       [&](const ExportMember* member) { return member->place.number == number; });
}

void ExportGroup::stop() {
    patience_.stop();
    path_.stop();
}

bool ExportGroup::stays_before(const ExportGroup& other) const {
    if (members_.size() != other.members_.size()) return members_.size() > other.members_.size();
    return serial_ < other.serial_;
}

bool ExportGroup::has_kin() const {
    return kin_ != nullptr && kin_->count.load(std::memory_order_relaxed) > 1;
}

void ExportGroup::adopt(const channel::ExportSettings& settings) {
    profile_.settings = settings;
    path_.configure(settings);
}

void ExportGroup::add(ExportMember& member) {
    stream_.join(member.place);
    member.group = this;
    member.signalled = false;
    members_.push_back(&member);
}

void ExportGroup::remove(ExportMember& member) {
    stream_.leave(member.place);
    std::erase(members_, &member);
    member.group = nullptr;
    if (blocked_ && ready()) {
        blocked_ = false;
        path_.resume();
    }
}

bool ExportGroup::at_rest(ExportMember& member) {
    return path_.idle() && stream_.drained(member.place);
}

void ExportGroup::collect(ExportMember& member, std::vector<Bytes>& pieces, std::size_t max) {
    member.signalled = false;
    stream_.collect(member.place, pieces, max);
}

void ExportGroup::consumed(ExportMember& member, std::size_t bytes) {
    stream_.consumed(member.place, bytes);
    if (blocked_ && stream_.bytes() < stream_low) {
        blocked_ = false;
        path_.resume();
    }
    if (has_kin() && at_rest(member)) member.consider.send(member.loop);
}

bool ExportGroup::has_announced(const ExportMember& member, net::PrefixId prefix) const {
    if (!path_.running() || !path_.reader()->announced(prefix)) return false;
    return !is_left_out(prefix, member.place.number);
}

std::size_t ExportGroup::pending(ExportMember& member) {
    std::vector<Bytes> pieces;
    stream_.collect(member.place, pieces, SIZE_MAX);
    std::size_t bytes = 0;
    for (const Bytes piece : pieces)
        bytes += piece.size();
    return bytes;
}

bool ExportGroup::ready() const {
    return stream_.bytes() < stream_high;
}

const SessionFacts* ExportGroup::session_of(table::SourceId source) const {
    return session_facts(profile_.table->services().sources.owner(source));
}

std::uint32_t ExportGroup::member_of(table::SourceId source) const {
    const table::SourceOwner* owner = &profile_.table->services().sources.owner(source).original();
    for (const ExportMember* member : members_) {
        if (member->owner == owner) return member->place.number;
    }
    return 0;
}

std::uint32_t ExportGroup::member_at(net::IpAddress address) const {
    for (const ExportMember* member : members_) {
        if (member->address == address) return member->place.number;
    }
    return 0;
}

channel::Preexport ExportGroup::preexport(const table::RouteValue& route,
                                          const table::SourceOwner& owner) {
    const ExportRule rule = may_export(*route.attributes, session_facts(owner), profile_.facts);
    return rule == ExportRule::allowed ? channel::Preexport::filter : channel::Preexport::refuse;
}

std::uint32_t ExportGroup::left_out(net::PrefixId id) const {
    const auto number = static_cast<std::uint32_t>(id);
    const std::size_t chunk = number / chunk_size;
    if (chunk >= left_out_.size() || left_out_[chunk] == nullptr) return 0;
    return left_out_[chunk][number % chunk_size];
}

bool ExportGroup::is_left_out(net::PrefixId id, std::uint32_t member) const {
    const std::uint32_t left = left_out(id);
    if (left == member || left == everybody) return true;
    const auto too = left_out_too_.find(static_cast<std::uint32_t>(id));
    return too != left_out_too_.end() && too->second == member;
}

void ExportGroup::leave_out_too(net::PrefixId id, std::uint32_t member) {
    left_out_too_[static_cast<std::uint32_t>(id)] = member;
}

/// The one who was left out has been told something else.
void ExportGroup::forget_left_out(net::PrefixId id) {
    const auto number = static_cast<std::uint32_t>(id);
    left_out_[number / chunk_size][number % chunk_size] = 0;
}

/// For all who are left out of an announcement from now on.
void ExportGroup::set_left_out(net::PrefixId id, std::uint32_t member) {
    const auto number = static_cast<std::uint32_t>(id);
    if (!left_out_too_.empty()) left_out_too_.erase(number);
    const std::size_t chunk = number / chunk_size;
    if (chunk >= left_out_.size() || left_out_[chunk] == nullptr) {
        if (member == 0) return;
        if (chunk >= left_out_.size()) left_out_.resize(chunk + 1);
        left_out_[chunk] = std::make_unique<std::uint32_t[]>(chunk_size);
    }
    left_out_[chunk][number % chunk_size] = member;
}

ExportGroup::Bucket& ExportGroup::bucket_for(const ExportedRoute& route, std::uint32_t only) {
    const auto fits = [&](const Bucket& bucket) {
        return bucket.attributes == route.attributes && bucket.source == route.route.source &&
               bucket.fresh == route.fresh && bucket.only == only;
    };
    if (bucket_count_ != 0 && fits(buckets_[bucket_count_ - 1])) return buckets_[bucket_count_ - 1];
    const std::uint64_t key =
        mix64(reinterpret_cast<std::uintptr_t>(route.attributes),
              std::uint64_t{static_cast<std::uint32_t>(route.route.source)} << 8 | route.fresh) +
        only;
    const auto [found, fresh] = bucket_index_.try_emplace(key, bucket_count_);
    if (!fresh && fits(buckets_[found->second])) return buckets_[found->second];
    if (bucket_count_ == buckets_.size()) buckets_.emplace_back();
    Bucket& bucket = buckets_[bucket_count_++];
    bucket.attributes = route.attributes;
    bucket.source = route.route.source;
    bucket.fresh = route.fresh;
    bucket.only = only;
    bucket.routes.clear();
    return bucket;
}

void ExportGroup::export_batch(std::span<const ExportedRoute> routes) {
    bucket_count_ = 0;
    bucket_index_.clear();
    gone_.clear();
    sort_out(routes);
    withdraw_all(gone_);
    for (std::size_t i = 0; i < bucket_count_; ++i) {
        if (buckets_[i].only == 0) announce(buckets_[i]);
    }
    for (std::size_t i = 0; i < bucket_count_; ++i) {
        if (buckets_[i].only != 0) announce_instead(buckets_[i]);
    }
    signal_members();
}

/// A second route of a prefix (`secondary`) is for the member that the first one came from.
void ExportGroup::sort_out(std::span<const ExportedRoute> routes) {
    const ExportedRoute* first = nullptr;
    for (const ExportedRoute& route : routes) {
        if (route.attributes == nullptr) {
            gone_.push_back(&route);
        } else if (first == nullptr) {
            bucket_for(route, 0).routes.push_back(&route);
        } else if (const std::uint32_t author = member_of(first->route.source); author != 0) {
            bucket_for(route, author).routes.push_back(&route);
        }
        first = route.last ? nullptr : &route;
    }
}

bool ExportGroup::has_instead(const ExportedRoute& route, std::uint32_t member) const {
    return !route.last && member == member_of(route.route.source);
}

/// Behind `announce`, which left the member out.
void ExportGroup::announce_instead(const Bucket& bucket) {
    HopChoice choice;
    const bool possible = encode(bucket, choice);
    if (possible && (choice.self || member_at(choice.hop.address) != bucket.only)) {
        return pack(bucket, choice, 0);
    }
    withdraw_from(bucket.routes, bucket.only);
}

/// Path attributes and next hop of a bucket; false if they cannot be told.
bool ExportGroup::encode(const Bucket& bucket, HopChoice& choice) {
    const SessionFacts* source = session_of(bucket.source);
    HopInputs hop;
    hop.current = next_hop_of(bucket.attributes->bytes(id::next_hop));
    hop.fresh = (bucket.fresh & channel::fresh_next_hop) != 0;
    hop.source = source;
    set_gateway(hop, *bucket.attributes);
    const auto chosen = choose_next_hop(profile_.hop, hop, profile_.facts);
    if (!chosen) return false;
    choice = *chosen;
    attributes_.clear();
    next_hop_.clear();
    const bool multiprotocol =
        profile_.hop.family != wire::ipv4_unicast || !choice.hop.address.is_v4();
    const ExportInputs inputs{.attributes = *bucket.attributes,
                              .source = source,
                              .hop = choice,
                              .fresh_med = (bucket.fresh & channel::fresh_med) != 0,
                              .put_next_hop = !multiprotocol,
                              .aigp = profile_.aigp};
    if (multiprotocol) {
        wire::put_next_hop(choice.hop, profile_.hop.family, profile_.link_local, next_hop_);
    }
    return encode_export(inputs, profile_.facts, attributes_);
}

wire::PackFormat ExportGroup::format(bool multiprotocol) const {
    return {profile_.hop.family, profile_.path_ids, multiprotocol};
}

void ExportGroup::announce(const Bucket& bucket) {
    HopChoice choice;
    if (!encode(bucket, choice)) {
        ++oversized_;
        tell_nobody(bucket.routes);
        return;
    }
    const std::uint32_t author = member_of(bucket.source);
    const std::uint32_t hop_owner = choice.self ? 0 : member_at(choice.hop.address);
    const std::uint32_t left = author != 0 ? author : hop_owner;
    if (left != 0) leave_out(bucket, left);
    pack(bucket, choice, left);
    if (hop_owner == 0 || hop_owner == left) return;
    // The announcement went to all but the author; who is the next hop takes it back at once.
    withdraw_from(bucket.routes, hop_owner);
    for (const ExportedRoute* route : bucket.routes)
        leave_out_too(route->id, hop_owner);
}

/// They fit no message, or no next hop can be given.
void ExportGroup::tell_nobody(const std::vector<const ExportedRoute*>& routes) {
    withdraw_all(routes);
    for (const ExportedRoute* route : routes)
        set_left_out(route->id, everybody);
}

void ExportGroup::pack(const Bucket& bucket, const HopChoice& choice, std::uint32_t left) {
    ExportStream::Audience audience;
    if (left != 0) audience = {ExportStream::Audience::Kind::all_but, left};
    if (bucket.only != 0) audience = {ExportStream::Audience::Kind::only, bucket.only};
    const bool multiprotocol =
        profile_.hop.family != wire::ipv4_unicast || !choice.hop.address.is_v4();
    wire::AnnouncePacker packer(message_, format(multiprotocol), attributes_, next_hop_);
    for (const ExportedRoute* route : bucket.routes) {
        if (bucket.only != 0 && left_out(route->id) != bucket.only) continue;
        const wire::Nlri nlri = wire::from_prefix(route->prefix, 0);
        if (!packer.fits(nlri)) {
            ++oversized_;
            gone_.assign(1, route);
            bucket.only != 0 ? withdraw_from(gone_, bucket.only) : tell_nobody(gone_);
            continue;
        }
        if (!packer.add(nlri)) {
            append(packer.finish(), audience);
            (void)packer.add(nlri);
        }
        bucket.only != 0 ? forget_left_out(route->id) : set_left_out(route->id, left);
    }
    if (!packer.empty()) append(packer.finish(), audience);
}

/// Notes that this member is not told the bucket, and withdraws from it what it was told before.
void ExportGroup::leave_out(const Bucket& bucket, std::uint32_t member) {
    gone_.clear();
    for (const ExportedRoute* route : bucket.routes) {
        const bool told = route->replaces && !is_left_out(route->id, member);
        if (told && !has_instead(*route, member)) gone_.push_back(route);
        set_left_out(route->id, member);
    }
    withdraw_from(gone_, member);
}

/// Tells one member that it has no route to these prefixes.
void ExportGroup::withdraw_from(const std::vector<const ExportedRoute*>& routes,
                                std::uint32_t member) {
    wire::WithdrawPacker packer(message_, format(profile_.hop.family != wire::ipv4_unicast));
    const ExportStream::Audience audience{ExportStream::Audience::Kind::only, member};
    for (const ExportedRoute* route : routes) {
        const wire::Nlri nlri = wire::from_prefix(route->prefix, 0);
        if (packer.add(nlri)) continue;
        append(packer.finish(), audience);
        (void)packer.add(nlri);
    }
    if (!packer.empty()) append(packer.finish(), audience);
}

/// Withdraws from everybody who was told, in runs of prefixes with the same member left out.
void ExportGroup::withdraw_all(const std::vector<const ExportedRoute*>& routes) {
    wire::WithdrawPacker packer(message_, format(profile_.hop.family != wire::ipv4_unicast));
    ExportStream::Audience audience;
    const auto flush = [&] {
        if (!packer.empty()) append(packer.finish(), audience);
    };
    for (const ExportedRoute* route : routes) {
        if (!route->replaces) continue;
        const std::uint32_t left = left_out(route->id);
        if (left == everybody) {
            set_left_out(route->id, 0);
            continue;
        }
        ExportStream::Audience next;
        if (left != 0) next = {ExportStream::Audience::Kind::all_but, left};
        if (!(next == audience)) {
            flush();
            audience = next;
        }
        set_left_out(route->id, 0);
        const wire::Nlri nlri = wire::from_prefix(route->prefix, 0);
        if (packer.add(nlri)) continue;
        flush();
        (void)packer.add(nlri);
    }
    flush();
}

void ExportGroup::append(Bytes message, const ExportStream::Audience& audience) {
    stream_.append(message, audience);
}

void ExportGroup::signal_members() {
    if (!ready()) blocked_ = true;
    if (blocked_ && members_.size() > 1 && !patience_.active()) patience_.in(patience);
    for (ExportMember* member : members_) {
        if (member->signalled || stream_.drained(member->place)) continue;
        member->signalled = true;
        member->wake.send(member->loop);
    }
}

void ExportGroup::end_of_feed() {
    if (feed_ == Feed::initial) append(wire::end_of_rib(message_, profile_.hop.family), {});
    if (feed_ == Feed::refresh && profile_.enhanced_refresh) {
        append(wire::encode_route_refresh({profile_.hop.family, wire::RefreshKind::end}), {});
    }
    feed_ = Feed::quiet;
    signal_members();
}

bool ExportGroup::held_up_by(const ExportMember& member) const {
    return blocked_ && members_.size() > 1 && stream_.backlog(member.place) >= stream_low;
}

/// Whoever is half a stream behind while another has next to nothing left is in the way. With all
/// of them equally slow nobody is.
void ExportGroup::on_out_of_patience() {
    if (!blocked_) return;
    std::size_t least = SIZE_MAX;
    for (const ExportMember* member : members_)
        least = std::min(least, stream_.backlog(member->place));
    for (ExportMember* member : members_) {
        if (least < stream_low / 4 && held_up_by(*member)) member->behind.send(member->loop);
    }
    patience_.in(patience);
}

void ExportGroup::caught_up() {
    if (!has_kin()) return;
    for (ExportMember* member : members_) {
        if (!stream_.drained(member->place)) continue;  // `consumed` will see to it
        member->consider.send(member->loop);
        return;
    }
}

void ExportGroup::export_limit_crossed(const config::Limit&, bool) {
    for (ExportMember* member : members_)
        member->limit.send(member->loop);
}

}  // namespace tern::bgp
