#pragma once
/// The static protocol: announces configured routes while their next hops are there.
/// Lives in the main loop. A route needs no state beyond its configuration: what changes is its
/// target, and a pass over the list announces or withdraws the routes of changed targets. A changed
/// configuration is compared with the one in force; only what differs travels. Exports nothing.

#include "loops/event.h"
#include "router/cli/output.h"
#include "router/engine/instance.h"
#include "router/engine/protocol.h"
#include "router/proto/static/config.h"
#include "router/proto/static/targets.h"

#include <memory>
#include <optional>
#include <vector>

namespace tern::static_routes {

class Static final : public engine::Protocol, private TargetObserver {
  public:
    explicit Static(engine::Instance& instance);
    ~Static() override;

    void start() override;
    void shutdown(const engine::StopRequest& request) override;
    bool reconfigure(const config::ProtocolConfig& next, config::Effect effect) override;
    bool refresh_import(channel::Channel& channel) override;
    /// Rows of `show static` from route number `position` on, until the output is full or
    /// some hundred rows are written; moves `position`. True when there are no more.
    bool show(cli::Output& out, std::uint32_t& position) const;

  private:
    /// What is known of a target besides its attributes.
    struct Mark {
        bool waiting = false;    ///< changed since the present pass began
        bool in_pass = false;    ///< the present pass handles its routes
        bool announced = false;  ///< routes of it may be in the table
    };

    void target_changed(std::uint32_t target) override;
    static void on_pass(void* protocol, loops::Turn& turn);
    void begin_pass();
    bool pass_step(std::uint32_t stop);
    void end_pass();
    void finish_pass();
    void handle(std::uint32_t route);
    void announce(std::uint32_t route);
    void withdraw(const net::Prefix& prefix, std::uint32_t path_id);
    void change_routes(const StaticConfig& next);
    void move_marks(const std::vector<std::uint32_t>& old_of);
    [[nodiscard]] table::SourceId source(std::uint32_t path_id);

    [[nodiscard]] channel::Channel& channel() const { return *instance().channels().front(); }

    [[nodiscard]] bool open() const;
    void show_route(cli::Output& out, std::uint32_t route) const;

    const StaticConfig* config_;
    std::optional<Targets> targets_;
    std::vector<Mark> marks_;        // by target
    std::vector<bool> pending_;      // routes to be handled whatever their target; may be empty
    bool anything_waiting_ = false;  // some target is
    bool in_pass_ = false;
    std::uint32_t position_ = 0;
    std::vector<table::SourceId> sources_;  // by path id
    loops::Event pass_;
};

/// How the engine makes it.
[[nodiscard]] const engine::ProtocolDescriptor& descriptor();

}  // namespace tern::static_routes
