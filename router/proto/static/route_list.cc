#include "router/proto/static/route_list.h"

#include "router/base/hash.h"
#include "router/base/tagged_table.h"
#include "router/filter/filter.h"

#include <algorithm>
#include <functional>
#include <memory>

namespace tern::static_routes {

bool operator==(const Target& a, const Target& b) {
    return a.kind == b.kind && a.hops == b.hops && a.host == b.host &&
           filter::same_filter(a.filter, b.filter);
}

std::size_t Target::hash() const {
    std::uint64_t sum = mix64(host.high() ^ static_cast<unsigned>(kind), host.low());
    for (const Hop& hop : hops) {
        sum = mix64(sum ^ hop.gateway.high(), hop.gateway.low() ^ hop.weight);
        sum = mix64(sum, std::hash<std::string>{}(hop.interface) ^ (hop.onlink ? 1U : 0U));
    }
    return filter == nullptr ? sum : mix64(sum, filter->hash());
}

std::uint32_t RouteList::target_number(Target target) {
    if (!targets_.empty() && targets_[last_] == target) return last_;
    const auto next = static_cast<std::uint32_t>(targets_.size());
    const auto [known, fresh] = numbers_.try_emplace(target.hash(), next);
    if (!fresh && targets_[known->second] == target) return last_ = known->second;
    if (next == targets_max) return targets_max;
    targets_.push_back(std::move(target));
    return last_ = next;
}

RouteList::Added RouteList::add(const net::Prefix& prefix, Target target) {
    if (words_.empty()) stride_ = prefix.is_v4() ? stride_ip4 : stride_ip6;
    if (prefix.type() != type()) return Added::other_type;
    const std::uint32_t number = target_number(std::move(target));
    if (number == targets_max) return Added::too_many_targets;
    const net::IpAddress address = prefix.address();
    if (prefix.is_v4()) {
        words_.push_back(address.v4_value());
    } else {
        words_.push_back(static_cast<std::uint32_t>(address.high() >> 32));
        words_.push_back(static_cast<std::uint32_t>(address.high()));
        words_.push_back(static_cast<std::uint32_t>(address.low() >> 32));
        words_.push_back(static_cast<std::uint32_t>(address.low()));
    }
    words_.push_back(prefix.length() << 24 | number);
    return Added::done;
}

bool RouteList::same_prefix(const RouteList& a,
                            std::uint32_t in_a,
                            const RouteList& b,
                            std::uint32_t in_b) {
    if (a.stride_ != b.stride_) return false;
    const std::uint32_t* x = a.words_.data() + std::size_t{in_a} * a.stride_;
    const std::uint32_t* y = b.words_.data() + std::size_t{in_b} * b.stride_;
    const std::size_t last = a.stride_ - 1;
    return std::equal(x, x + last, y) && x[last] >> 24 == y[last] >> 24;
}

bool RouteList::ascending() const {
    for (std::uint32_t route = 1; route < size(); ++route)
        if (!(prefix(route - 1) < prefix(route))) return false;
    return true;
}

void RouteList::close() {
    path_ids_.clear();
    words_.shrink_to_fit();
    if (ascending()) return;  // as generated files are: no network is there twice
    TaggedTable<std::uint32_t, 12> known;
    std::unordered_map<std::uint32_t, std::uint32_t> last_ids;  // by the first of equal networks
    for (std::uint32_t route = 0; route < size(); ++route) {
        const std::uint64_t hash = prefix(route).hash();
        const std::uint32_t* first = known.find(
            hash, [&](std::uint32_t other) { return same_prefix(*this, other, *this, route); });
        if (first != nullptr) {
            path_ids_[route] = ++last_ids[*first];
        } else {
            known.insert(hash, route, [&](std::uint32_t r) { return prefix(r).hash(); });
        }
    }
}

struct RouteFinder::Table {
    [[nodiscard]] static std::uint64_t hash(const net::Prefix& prefix, std::uint32_t path_id) {
        return mix64(prefix.hash(), path_id);
    }

    TaggedTable<std::uint32_t, 12> routes;
};

RouteFinder::RouteFinder(const RouteList& list, std::uint32_t begin, std::uint32_t end)
    : list_(list), table_(std::make_unique<Table>()) {
    const auto hash_of = [&list](std::uint32_t route) {
        return Table::hash(list.prefix(route), list.path_id(route));
    };
    for (std::uint32_t route = begin; route < end; ++route)
        table_->routes.insert(hash_of(route), route, hash_of);
}

RouteFinder::~RouteFinder() = default;

std::uint32_t RouteFinder::find(const net::Prefix& prefix, std::uint32_t path_id) const {
    const std::uint32_t* found =
        table_->routes.find(Table::hash(prefix, path_id), [&](std::uint32_t route) {
            return list_.path_id(route) == path_id && list_.prefix(route) == prefix;
        });
    return found == nullptr ? none : *found;
}

}  // namespace tern::static_routes
