#pragma once

/// Longest-prefix match over a small map from prefixes to values (interface addresses, neighbours,
/// listeners), by probing one hash per length that is present.
/// Owned by its user, under the user's domain; values are returned by pointer, valid until the next
/// change. Never for routing tables: those match through PrefixIndex.

#include "router/net/prefix.h"

#include <array>
#include <cstdint>
#include <unordered_map>
#include <utility>

namespace tern::net {

template <class Value>
class LongestMatch {
  public:
    /// False (and nothing changed) if the prefix is there already.
    bool insert(const Prefix& prefix, Value value) {
        if (!map_.emplace(prefix, std::move(value)).second) return false;
        ++counts_[family(prefix.is_v4())][prefix.length()];
        return true;
    }

    bool erase(const Prefix& prefix) {
        if (map_.erase(prefix) == 0) return false;
        --counts_[family(prefix.is_v4())][prefix.length()];
        return true;
    }

    void clear() {
        map_.clear();
        counts_ = {};
    }

    [[nodiscard]] Value* find(const Prefix& prefix) {
        const auto at = map_.find(prefix);
        return at == map_.end() ? nullptr : &at->second;
    }

    [[nodiscard]] const Value* find(const Prefix& prefix) const {
        const auto at = map_.find(prefix);
        return at == map_.end() ? nullptr : &at->second;
    }

    /// Calls `visit(prefix, value)` for every entry containing `key`, longest first, until it
    /// returns false.
    template <class Visitor>
    void visit_covering(const Prefix& key, Visitor&& visit) const {
        const auto& counts = counts_[family(key.is_v4())];
        for (unsigned length = key.length() + 1; length-- > 0;) {
            if (counts[length] == 0) continue;
            const auto at = map_.find(Prefix::ip(key.address(), length));
            if (at != map_.end() && !visit(at->first, at->second)) return;
        }
    }

    /// The longest entry containing the address, or null.
    [[nodiscard]] const Value* match(IpAddress address) const {
        const Value* found = nullptr;
        visit_covering(Prefix::host(address), [&found](const Prefix&, const Value& value) {
            found = &value;
            return false;
        });
        return found;
    }

    [[nodiscard]] std::size_t size() const { return map_.size(); }

    [[nodiscard]] auto begin() const { return map_.begin(); }

    [[nodiscard]] auto end() const { return map_.end(); }

  private:
    static constexpr std::size_t family(bool v4) { return v4 ? 0 : 1; }

    std::unordered_map<Prefix, Value> map_;
    std::array<std::array<std::uint32_t, 129>, 2> counts_ = {};
};

}  // namespace tern::net
