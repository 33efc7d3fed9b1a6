#include "router/filter/validation.h"

#include <algorithm>
#include <vector>

namespace tern::filter {
namespace {

class OriginVisitor final : public RoaVisitor {
  public:
    OriginVisitor(unsigned length, std::uint32_t asn) : length_(length), asn_(asn) {}

    bool visit(const Roa& roa) override {
        covered_ = true;
        // RFC 6483 section 4: a ROA for AS 0 makes everything below it invalid.
        valid_ = asn_ != 0 && roa.asn == asn_ && length_ <= roa.max_length;
        return !valid_;
    }

    [[nodiscard]] RoaState state() const {
        if (valid_) return RoaState::valid;
        return covered_ ? RoaState::invalid : RoaState::unknown;
    }

  private:
    unsigned length_;
    std::uint32_t asn_;
    bool covered_ = false;
    bool valid_ = false;
};

/// Lengths of the two customer-to-provider ramps of a path, counted in ASes. "Max" ramps end at the
/// first proven non-provider, "min" ramps at the first hop that is not proven.
struct Ramps {
    std::size_t max_up;
    std::size_t min_up;
    std::size_t max_down;
    std::size_t min_down;
};

/// `path` begins at the origin here.
Ramps measure(const AspaSource& source, std::span<const std::uint32_t> path) {
    const std::size_t count = path.size();
    Ramps ramps{count, count, count, count};
    for (std::size_t i = 0; i + 1 < count; ++i) {
        const Authorization hop = source.authorization(path[i], path[i + 1]);
        if (hop != Authorization::provider) ramps.min_up = std::min(ramps.min_up, i + 1);
        if (hop != Authorization::not_provider) continue;
        ramps.max_up = i + 1;
        break;
    }
    for (std::size_t i = 0; i + 1 < count; ++i) {
        const Authorization hop = source.authorization(path[count - 1 - i], path[count - 2 - i]);
        if (hop != Authorization::provider) ramps.min_down = std::min(ramps.min_down, i + 1);
        if (hop != Authorization::not_provider) continue;
        ramps.max_down = i + 1;
        break;
    }
    return ramps;
}

}  // namespace

RoaState roa_check(const RoaSource& source, const net::Prefix& prefix, std::uint32_t asn) {
    OriginVisitor visitor(prefix.length(), asn);
    source.visit_covering(prefix, visitor);
    return visitor.state();
}

// draft-ietf-sidrops-aspa-verification, "AS_PATH Verification".
AspaState aspa_check(const AspaSource& source, std::span<const std::uint32_t> path, bool upstream) {
    if (path.empty()) return AspaState::invalid;
    std::vector<std::uint32_t> hops(path.rbegin(), path.rend());
    hops.erase(std::unique(hops.begin(), hops.end()), hops.end());
    const Ramps ramps = measure(source, hops);
    const std::size_t count = hops.size();
    if (upstream) {
        if (ramps.max_up < count) return AspaState::invalid;
        return ramps.min_up < count ? AspaState::unknown : AspaState::valid;
    }
    if (ramps.max_up + ramps.max_down < count) return AspaState::invalid;
    return ramps.min_up + ramps.min_down < count ? AspaState::unknown : AspaState::valid;
}

}  // namespace tern::filter
