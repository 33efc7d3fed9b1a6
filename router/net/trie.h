#pragma once

/// A prefix set with length ranges: what filters write as `[ 10.0.0.0/8+, 192.0.2.0/24{20,28} ]`.
/// A compressed binary trie in one array; a match walks at most the prefix's bits and touches one
/// node per branching. Built once by the owner (configuration), then only read, from any domain.
/// It never forgets a pattern; sets are replaced as a whole.

#include "router/net/prefix.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tern::net {

/// Matches a net N if the first min(len, N.len) bits are equal and low <= N.len <= high.
struct PrefixPattern {
    Prefix prefix;
    std::uint8_t low;
    std::uint8_t high;

    friend bool operator==(const PrefixPattern&, const PrefixPattern&) = default;
};

class PrefixSet {
  public:
    /// IPv4 and IPv6 patterns must not be mixed in one set; false (and nothing added) if they are,
    /// or if the range is not low <= high <= max_length.
    bool add(const PrefixPattern& pattern);
    /// `P` alone.
    bool add(const Prefix& prefix);

    /// Of the other family: false.
    [[nodiscard]] bool contains(const Prefix& prefix) const;
    /// An address counts as its host prefix.
    [[nodiscard]] bool contains(IpAddress address) const;

    [[nodiscard]] bool empty() const { return entries_.empty(); }

    /// Trie dump, each entry with the accepted lengths as a mask written like an address:
    /// `[10.0.0.0/8{1.255.255.255}, 20.0.0.0/8{31.240.0.0}]`.
    [[nodiscard]] std::string to_string() const;

    /// The same patterns, in whatever order they were added.
    friend bool operator==(const PrefixSet& a, const PrefixSet& b) {
        return a.entries_ == b.entries_;
    }

    [[nodiscard]] std::uint64_t hash() const;
    [[nodiscard]] std::size_t memory() const;

  private:
    /// Lengths 1..128 as bits from the top; length 0 is apart.
    struct LengthMask {
        std::uint64_t high = 0;
        std::uint64_t low = 0;
        bool zero = false;

        void add(unsigned from, unsigned to);
        [[nodiscard]] bool has(unsigned length) const;
        friend bool operator==(const LengthMask&, const LengthMask&) = default;
    };

    struct Entry {
        Prefix prefix;
        LengthMask lengths;
        friend bool operator==(const Entry&, const Entry&) = default;
    };

    struct Node {
        std::uint64_t high = 0;  // bits of the address, the first one on top, for both families
        std::uint64_t low = 0;
        LengthMask lengths;
        std::uint8_t length = 0;
        std::uint32_t child[2] = {0, 0};
    };

    struct Bits {
        std::uint64_t high;
        std::uint64_t low;
    };

    static Bits bits_of(const Prefix& prefix);
    static unsigned common(const Node& node, Bits bits);
    static bool bit_at(Bits bits, unsigned index);
    void insert(const Prefix& prefix, unsigned from, unsigned to);
    std::uint32_t make_node(Bits bits, unsigned length);
    void remember(const PrefixPattern& pattern);

    std::vector<Entry> entries_;  // sorted by prefix; as written, for printing and comparing
    std::vector<Node> nodes_;     // nodes_[0] is the root once there is one
};

}  // namespace tern::net
