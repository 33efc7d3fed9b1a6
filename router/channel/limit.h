#pragma once
/// A bound on the number of routes of a channel and what happens when it is crossed
/// (parity: `receive limit`, `import limit`, `export limit`).
/// Pure: counts are the caller's. A block or stop action reports once until re-armed; `warn`
/// reports each excess route, which the log's rate limit tames.

#include "router/config/protocol_config.h"

#include <cstdint>
#include <string_view>

namespace tern::channel {

enum class LimitKind : std::uint8_t { receive, import_, export_ };

[[nodiscard]] std::string_view name(LimitKind kind);
[[nodiscard]] std::string_view action_name(config::LimitAction action);

class RouteLimit {
  public:
    enum class Outcome : std::uint8_t {
        pass,
        pass_and_report,   ///< action warn: the route is taken, somebody should know
        block,             ///< the route is refused
        block_and_report,  ///< refused, and it is the first time
        stop,              ///< refused; the protocol has to restart or go down (reported once)
    };

    void configure(const config::Limit& config) {
        config_ = config;
        hit_ = false;
    }

    void rearm() { hit_ = false; }

    /// One more route wants in while `count` are there.
    Outcome admit(std::uint64_t count) {
        if (!config_.value || count < *config_.value) return Outcome::pass;
        if (config_.action == config::LimitAction::warn) {
            hit_ = true;
            return Outcome::pass_and_report;
        }
        const bool first = !hit_;
        hit_ = true;
        if (config_.action == config::LimitAction::block) {
            return first ? Outcome::block_and_report : Outcome::block;
        }
        return first ? Outcome::stop : Outcome::block;
    }

    [[nodiscard]] bool hit() const { return hit_; }

    [[nodiscard]] const config::Limit& config() const { return config_; }

  private:
    config::Limit config_;
    bool hit_ = false;
};

}  // namespace tern::channel
