#pragma once
/// Neighbours that are told the same: one reader of the table, one run of the export filter, one
/// encoding, one stream of UPDATEs for all of them. What differs between members is only that a
/// neighbour is not told its own routes; that is kept exact by remembering per prefix who was left
/// out. A group has a domain (level export_group) and a loop of its own in the worker group.
/// Members belong to their neighbour's loop and come to the group for bytes. The group never waits
/// for a socket: when the slowest member is a bounded stream behind, it stops reading its table; a
/// member that keeps it there while others have nothing left is asked to go its own way.
/// ExportGroups makes, merges and splits groups.

#include "loops/loop.h"
#include "loops/timer.h"
#include "router/channel/export_path.h"
#include "router/proto/bgp/export_attributes.h"
#include "router/proto/bgp/export_stream.h"
#include "router/proto/bgp/next_hop_policy.h"
#include "router/proto/bgp/session_facts.h"
#include "router/proto/bgp/wire/pack.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

namespace tern::bgp {

class ExportGroup;

/// Everything that decides what a neighbour is told; equal profiles share a group.
struct ExportProfile {
    table::Table* table = nullptr;
    channel::ExportSettings settings;
    SessionFacts facts;  ///< of one member; those of the others differ only in who they are
    HopPolicy hop;
    wire::LinkLocalFormat link_local = wire::LinkLocalFormat::native;
    AigpPolicy aigp;
    bool path_ids = false;
    bool enhanced_refresh = false;
    std::size_t message_max = 4096;

    [[nodiscard]] bool same_as(const ExportProfile& other) const;
};

/// The groups of one profile. Kept by ExportGroups; the count may be read anywhere.
struct ExportKin {
    std::vector<ExportGroup*> groups;
    std::atomic<std::uint32_t> count = 0;
};

/// One neighbour's place in a group. Embedded in the neighbour; used in its loop with its domain
/// held. The four callbacks run there as events.
struct ExportMember {
    struct Callbacks {
        loops::Callback data_waits;
        loops::Callback may_merge;
        loops::Callback holds_up;
        loops::Callback over_limit;
    };

    ExportMember(loops::Loop& member_loop, const Callbacks& callbacks)
        : loop(member_loop),
          wake(callbacks.data_waits),
          consider(callbacks.may_merge),
          behind(callbacks.holds_up),
          limit(callbacks.over_limit) {}

    loops::Loop& loop;
    net::IpAddress address;                     ///< of the neighbour
    const table::SourceOwner* owner = nullptr;  ///< of the routes it has sent
    loops::Event wake;                          ///< bytes wait
    loops::Event consider;                      ///< a merge may be possible
    loops::Event behind;                        ///< it is too slow for its group
    loops::Event limit;                         ///< the export limit was crossed
    ExportGroup* group = nullptr;
    ExportStream::Member place;     ///< guarded by the group
    bool signalled = false;         ///< guarded by the group: `wake` is on its way
    bool apart = false;             ///< it left its group and has not caught up yet
    std::uint32_t fell_behind = 0;  ///< how often it left
    std::uint32_t came_back = 0;    ///< and how often it was merged again
};

class ExportGroup final : public channel::RouteSink, public channel::ExportObserver {
  public:
    struct Place {
        loops::ThreadGroup& threads;
        filter::Environment& environment;
        std::uint64_t serial;
    };

    ExportGroup(const ExportProfile& profile, const Place& place);
    ~ExportGroup() override;

    [[nodiscard]] locking::Domain<level::ExportGroup>& domain() { return domain_; }

    [[nodiscard]] loops::Loop& loop() { return loop_; }

    [[nodiscard]] const ExportProfile& profile() const { return profile_; }

    [[nodiscard]] std::uint64_t serial() const { return serial_; }

    // All below: with the domain held.

    /// What a full feed begins and ends with.
    enum class Feed : std::uint8_t { initial, refresh, quiet };
    /// What a member that takes its place in another group needs there.
    enum class Need : std::uint8_t {
        refresh,  ///< all of the table once more, marked (RFC 7313)
        review,   ///< all of the table once more
        nothing,  ///< only what comes
    };

    void start();
    /// Takes `member` out of `other` (whose domain is held too) and goes on where that one stands.
    void take_over(ExportGroup& other, ExportMember& member, Need need);
    void stop();
    /// Switches to equal settings of a new configuration, as the old one goes away.
    void adopt(const channel::ExportSettings& settings);

    void add(ExportMember& member);
    void remove(ExportMember& member);
    void inherit_left_out(const ExportGroup& other, std::uint32_t old_number, std::uint32_t number);

    [[nodiscard]] const std::vector<ExportMember*>& members() const { return members_; }

    /// Groups it may merge with, itself among them; null once it has ended.
    [[nodiscard]] ExportKin* kin() const { return kin_; }

    void set_kin(ExportKin* kin) { kin_ = kin; }

    /// Where two groups become one, the larger one stays, or the older one.
    [[nodiscard]] bool stays_before(const ExportGroup& other) const;

    /// It waits, and this member is one of those it waits for.
    [[nodiscard]] bool held_up_by(const ExportMember& member) const;

    /// Idle, and this member has written all of its stream.
    [[nodiscard]] bool at_rest(ExportMember& member);

    [[nodiscard]] channel::ExportPath& path() { return path_; }

    void collect(ExportMember& member, std::vector<Bytes>& pieces, std::size_t max);
    void consumed(ExportMember& member, std::size_t bytes);
    /// The member was told a route to this prefix.
    [[nodiscard]] bool has_announced(const ExportMember& member, net::PrefixId prefix) const;
    /// Bytes waiting for this member.
    [[nodiscard]] std::size_t pending(ExportMember& member);

    /// Bytes kept for the slowest member.
    [[nodiscard]] std::size_t backlog() const { return stream_.bytes(); }

    /// With that much kept the group stops reading; it may be over by what one batch makes.
    static constexpr std::size_t stream_high = 1024 * 1024;

    /// Routes refused because they fit no message.
    [[nodiscard]] std::uint64_t oversized() const { return oversized_; }

    // channel::RouteSink, in the group's loop
    channel::Preexport preexport(const table::RouteValue& route,
                                 const table::SourceOwner& owner) override;
    void export_batch(std::span<const channel::ExportedRoute> routes) override;
    void end_of_feed() override;
    void caught_up() override;
    [[nodiscard]] bool ready() const override;
    void export_limit_crossed(const config::Limit& limit, bool stop) override;

  private:
    static constexpr std::size_t stream_low = stream_high / 2;
    /// How long a slow member may keep those waiting that have nothing left.
    static constexpr loops::Duration patience = loops::milliseconds(50);

    /// Routes of a batch that go into the same messages.
    struct Bucket {
        const attr::AttributeSet* attributes;
        table::SourceId source;
        std::uint8_t fresh;
        std::uint32_t only;  // member that they are for, instead of its own; 0: the others
        std::vector<const channel::ExportedRoute*> routes;
    };

    [[nodiscard]] const SessionFacts* session_of(table::SourceId source) const;
    [[nodiscard]] std::uint32_t member_of(table::SourceId source) const;
    [[nodiscard]] std::uint32_t member_at(net::IpAddress address) const;
    Bucket& bucket_for(const channel::ExportedRoute& route, std::uint32_t only);
    void sort_out(std::span<const channel::ExportedRoute> routes);
    void announce(const Bucket& bucket);
    void announce_instead(const Bucket& bucket);
    [[nodiscard]] bool encode(const Bucket& bucket, HopChoice& choice);
    void pack(const Bucket& bucket, const HopChoice& choice, std::uint32_t left_out);
    [[nodiscard]] bool has_instead(const channel::ExportedRoute& route, std::uint32_t member) const;
    void leave_out(const Bucket& bucket, std::uint32_t member);
    void withdraw_from(const std::vector<const channel::ExportedRoute*>& routes,
                       std::uint32_t member);
    void withdraw_all(const std::vector<const channel::ExportedRoute*>& routes);
    void append(Bytes message, const ExportStream::Audience& audience);
    void signal_members();
    [[nodiscard]] bool has_kin() const;
    void on_out_of_patience();
    [[nodiscard]] wire::PackFormat format(bool multiprotocol) const;
    [[nodiscard]] bool is_member(std::uint32_t number) const;
    void tell_nobody(const std::vector<const channel::ExportedRoute*>& routes);
    [[nodiscard]] std::uint32_t left_out(net::PrefixId id) const;
    [[nodiscard]] bool is_left_out(net::PrefixId id, std::uint32_t member) const;
    void set_left_out(net::PrefixId id, std::uint32_t member);
    void forget_left_out(net::PrefixId id);
    void leave_out_too(net::PrefixId id, std::uint32_t member);

    ExportProfile profile_;
    std::uint64_t serial_;
    ExportKin* kin_ = nullptr;
    locking::Domain<level::ExportGroup> domain_;
    loops::Loop loop_;
    channel::ExportPath path_;
    ExportStream stream_;
    std::vector<ExportMember*> members_;
    Feed feed_ = Feed::initial;
    bool blocked_ = false;  // the stream was full; somebody has to resume the path
    loops::Timer patience_;
    std::uint64_t oversized_ = 0;
    // Per prefix: the member that was left out of its last announcement (0: nobody). Chunks exist
    // where somebody was. A second one, by a next hop that is a member's or by a merge, is rare.
    static constexpr std::size_t chunk_size = 1024;
    static constexpr std::uint32_t everybody = ~std::uint32_t{0};
    std::vector<std::unique_ptr<std::uint32_t[]>> left_out_;
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> left_out_too_;
    // Scratch of a batch.
    std::vector<Bucket> buckets_;
    std::size_t bucket_count_ = 0;
    boost::unordered_flat_map<std::uint64_t, std::size_t> bucket_index_;
    std::vector<const channel::ExportedRoute*> gone_;
    std::vector<std::uint8_t> attributes_;
    std::vector<std::uint8_t> next_hop_;
    std::vector<std::uint8_t> message_;
};

}  // namespace tern::bgp
