#pragma once
/// From UPDATE messages to the tables: decode, judge by RFC 7606, check the path, intern the
/// attributes once, announce every prefix. One object lives as long as a session; it belongs to the
/// session's loop. It holds one source per path id and one use of its owner, and gives them back at
/// its end. It never touches the connection: what has to end the session it returns.

#include "loops/settle.h"
#include "router/channel/channel.h"
#include "router/engine/instance.h"
#include "router/proto/bgp/config.h"
#include "router/proto/bgp/gateway.h"
#include "router/proto/bgp/negotiate.h"
#include "router/proto/bgp/route_class.h"
#include "router/proto/bgp/wire/update.h"
#include "router/table/export_reader.h"

#include <memory>
#include <optional>
#include <vector>

namespace tern::bgp {

class Import {
  public:
    Import(engine::Instance& instance,
           const BgpConfig& config,
           const SessionParameters& parameters,
           BgpOwner& owner);
    Import(const Import&) = delete;
    Import& operator=(const Import&) = delete;
    ~Import();

    void add_channel(channel::Channel& channel, const BgpChannelConfig& config);

    /// The configuration was replaced by one that is equal as far as imports go.
    void adopt(const BgpConfig& config) { config_ = &config; }

    /// Nothing more is announced, even from within a call that is on its way; the object may then
    /// wait for its end.
    void close();

    /// Takes one UPDATE; a value is the NOTIFICATION that must end the session.
    [[nodiscard]] std::optional<wire::Notification> update(Bytes body, loops::Instant now);
    /// Applies what was gathered.
    void flush();

    /// Numbers for `show` and the log.
    struct Counters {
        std::uint64_t updates = 0;
        std::uint64_t faulty = 0;
        std::uint64_t refused_paths = 0;
    };

    [[nodiscard]] const Counters& counters() const { return counters_; }

    /// The channel of a family, or null.
    [[nodiscard]] channel::Channel* channel(wire::Family family) const;

  private:
    struct Family {
        wire::Family family;
        channel::Channel* channel;
        std::unique_ptr<Gateways> gateways;
        std::unique_ptr<table::ExportReader> igp4;
        std::unique_ptr<table::ExportReader> igp6;
    };

    [[nodiscard]] Family* find(wire::Family family);
    [[nodiscard]] table::Table* igp_table(const BgpChannelConfig& config, net::NetType type) const;
    [[nodiscard]] table::SourceId source(std::uint32_t path_id);
    void watch(Family& family);
    void withdraw(const wire::NlriField& field);
    void announce(const wire::Announcement& announcement, loops::Instant now);
    [[nodiscard]] const attr::AttributeSet* make_set(Family& family,
                                                     Bytes next_hop,
                                                     std::uint8_t& flags);
    void log_faults();
    void on_igp_changed(loops::Turn& turn);
    void on_igp_settled(loops::Turn& turn);
    void drain(table::ExportReader* reader);
    void rewrite(table::Table& table, const Gateway& gateway);
    [[nodiscard]] const attr::AttributeSet* with_gateway(const attr::AttributeSet* set,
                                                         const Gateway& gateway);

    engine::Instance& instance_;
    const BgpConfig* config_;
    const SessionFacts& facts_;
    BgpOwner& owner_;
    std::vector<Family> families_;
    std::vector<wire::FamilyRules> family_rules_;
    wire::UpdateRules rules_;
    wire::DecodedUpdate decoded_;
    table::SourceId source_{};
    Counters counters_;
    bool open_ = true;
    LogLimit fault_limit_{5, 20};
    loops::Event igp_news_;
    loops::Settle igp_settle_;
};

}  // namespace tern::bgp
