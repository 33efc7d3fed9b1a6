#pragma once
/// The bookkeeping of the synchronisation: what we have written to the kernel's table and what a
/// scan found there give what has to be written now. Pure: it sends nothing. Belongs to one kernel
/// instance. Per prefix it keeps one 32-bit fingerprint of the installed next hops; metrics,
/// further attributes and refusals are kept only where they are special. It never forgets a route
/// that may still be in the kernel.

#include "router/base/bitmap.h"
#include "router/net/prefix.h"
#include "router/net/prefix_index.h"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tern::kernel {

/// One route as it is to stand in the kernel.
struct Installed {
    std::uint32_t fingerprint = 0;  ///< of destination and next hops; 0: nothing
    std::uint32_t metric = 0;
    std::uint32_t extra = 0;  ///< of everything else that is written; 0: nothing special

    friend bool operator==(const Installed&, const Installed&) = default;
};

enum class Action : std::uint8_t {
    nothing,
    add,
    replace,
    remove_and_add,
};

/// What to do, and the metric of what is there now.
struct Order {
    Action action = Action::nothing;
    std::uint32_t old_metric = 0;
};

/// A route of an earlier life of the daemon that nobody wants.
struct Stray {
    net::Prefix prefix;
    std::uint32_t metric = 0;
};

class Sync {
  public:
    /// `metric`: what most routes are written with.
    explicit Sync(std::uint32_t metric) : metric_(metric) {}

    // --- exports -----------------------------------------------------------------------------
    /// `replaceable`: the kernel can replace what is there by this in one step.
    Order want(net::PrefixId id,
               const net::Prefix& prefix,
               const Installed& route,
               bool replaceable);
    /// The metric to remove the route with, if something of ours may be there.
    [[nodiscard]] std::optional<std::uint32_t> withdraw(net::PrefixId id);
    /// The kernel refused; not tried again before the next scan.
    /// `added`: it was a pure addition, so nothing of ours is there.
    void refused(net::PrefixId id, const Installed& route, bool added);
    /// True if a refusal of this prefix was pending, which is forgotten.
    bool accepted(net::PrefixId id);

    // --- scans -------------------------------------------------------------------------------
    void begin_scan();
    /// A route of ours was found. False: it has to be removed. `id` is unset for unknown prefixes.
    [[nodiscard]] bool seen(std::optional<net::PrefixId> id,
                            const net::Prefix& prefix,
                            const Installed& route);
    /// True if everything wanted has to be looked at again (`want` for each, then `end_resync`).
    [[nodiscard]] bool end_scan();
    /// After the first scan: what was found and never wanted.
    [[nodiscard]] std::vector<Stray> end_resync();
    void abort_scan();

    [[nodiscard]] bool first_scan_done() const { return !first_; }

    /// Between the end of a scan that found differences and the end of looking at everything.
    [[nodiscard]] bool resyncing() const { return resyncing_; }

    [[nodiscard]] std::size_t installed() const { return installed_; }

    [[nodiscard]] std::size_t refusals() const { return refused_.size(); }

    /// All ids with something of ours in the kernel, at shutdown.
    [[nodiscard]] std::vector<net::PrefixId> all() const;

  private:
    struct Refusal {
        Installed route;
        bool ours_there;  // an earlier route of ours may still be there
    };

    [[nodiscard]] Installed present(net::PrefixId id) const;
    void store(net::PrefixId id, const Installed& route);

    std::uint32_t metric_;
    std::vector<std::uint32_t> fingerprints_;               // by prefix id
    std::unordered_map<net::PrefixId, Installed> special_;  // other metric, or extras
    std::unordered_map<net::PrefixId, Refusal> refused_;
    std::unordered_map<net::Prefix, Installed> strays_;  // until the first feed has ended
    Bitmap confirmed_;                                   // seen as wanted by the scan in progress
    std::size_t installed_ = 0;
    bool scanning_ = false;
    bool resyncing_ = false;
    bool first_ = true;
    bool mismatch_ = false;
};

}  // namespace tern::kernel
