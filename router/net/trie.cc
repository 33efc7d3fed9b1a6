#include "router/net/trie.h"

#include <algorithm>
#include <bit>

namespace tern::net {

namespace {

/// Bits `from`..`to` of a 64-bit word counted from the top, 0-based; from <= to.
std::uint64_t span_mask(unsigned from, unsigned to) {
    return (~std::uint64_t{0} >> from) & (~std::uint64_t{0} << (63 - to));
}

}  // namespace

void PrefixSet::LengthMask::add(unsigned from, unsigned to) {
    if (from == 0) zero = true;
    if (to == 0) return;
    const unsigned first = from == 0 ? 0 : from - 1;
    const unsigned last = to - 1;
    if (first < 64) high |= span_mask(first, std::min(last, 63U));
    if (last >= 64) low |= span_mask(first < 64 ? 0 : first - 64, last - 64);
}

bool PrefixSet::LengthMask::has(unsigned length) const {
    if (length == 0) return zero;
    const unsigned bit = length - 1;
    return ((bit < 64 ? high >> (63 - bit) : low >> (127 - bit)) & 1) != 0;
}

PrefixSet::Bits PrefixSet::bits_of(const Prefix& prefix) {
    if (prefix.is_v4()) return {std::uint64_t{prefix.address().v4_value()} << 32, 0};
    return {prefix.address().high(), prefix.address().low()};
}

unsigned PrefixSet::common(const Node& node, Bits bits) {
    if (node.high != bits.high) {
        return static_cast<unsigned>(std::countl_zero(node.high ^ bits.high));
    }
    return 64 + static_cast<unsigned>(std::countl_zero(node.low ^ bits.low));
}

bool PrefixSet::bit_at(Bits bits, unsigned index) {
    return ((index < 64 ? bits.high >> (63 - index) : bits.low >> (127 - index)) & 1) != 0;
}

std::uint32_t PrefixSet::make_node(Bits bits, unsigned length) {
    Node node;
    node.high = length >= 64  ? bits.high
                : length == 0 ? 0
                              : bits.high & ~(~std::uint64_t{0} >> length);
    node.low = length >= 128  ? bits.low
               : length <= 64 ? 0
                              : bits.low & ~(~std::uint64_t{0} >> (length - 64));
    node.length = static_cast<std::uint8_t>(length);
    nodes_.push_back(node);
    return static_cast<std::uint32_t>(nodes_.size() - 1);
}

/// Accepts nets of lengths from..to inside `prefix`; from >= its length.
void PrefixSet::insert(const Prefix& prefix, unsigned from, unsigned to) {
    const Bits bits = bits_of(prefix);
    const unsigned length = prefix.length();
    if (nodes_.empty()) make_node(bits, 0);
    std::uint32_t at = 0;
    for (;;) {
        if (nodes_[at].length == length) {
            nodes_[at].lengths.add(from, to);
            return;
        }
        const bool side = bit_at(bits, nodes_[at].length);
        const std::uint32_t child = nodes_[at].child[side];
        if (child == 0) {
            const std::uint32_t leaf = make_node(bits, length);
            nodes_[at].child[side] = leaf;
            at = leaf;
            continue;
        }
        const unsigned same =
            std::min({common(nodes_[child], bits), length, unsigned{nodes_[child].length}});
        if (same == nodes_[child].length) {
            at = child;
            continue;
        }
        const std::uint32_t fork = make_node(bits, same);
        const Bits below = {nodes_[child].high, nodes_[child].low};
        nodes_[fork].child[bit_at(below, same)] = child;
        nodes_[at].child[side] = fork;
        at = fork;
    }
}

bool PrefixSet::add(const PrefixPattern& pattern) {
    const Prefix& prefix = pattern.prefix;
    if (pattern.low > pattern.high || pattern.high > prefix.max_length()) return false;
    if (!is_ip(prefix.type())) return false;
    if (!entries_.empty() && entries_.front().prefix.type() != prefix.type()) return false;
    remember(pattern);
    if (pattern.high >= prefix.length()) {
        insert(prefix, std::max<unsigned>(pattern.low, prefix.length()), pattern.high);
    }
    // Nets shorter than the pattern's prefix: each supernet is accepted with its own length only.
    for (unsigned length = pattern.low; length < prefix.length() && length <= pattern.high;
         ++length) {
        const Prefix supernet =
            prefix.is_v4() ? Prefix::ip(prefix.address(), length)
                           : Prefix::ip6(prefix.address().high(), prefix.address().low(), length);
        insert(supernet, length, length);
    }
    return true;
}

bool PrefixSet::add(const Prefix& prefix) {
    const auto length = static_cast<std::uint8_t>(prefix.length());
    return add({prefix, length, length});
}

void PrefixSet::remember(const PrefixPattern& pattern) {
    const auto at = std::lower_bound(
        entries_.begin(), entries_.end(), pattern.prefix,
        [](const Entry& entry, const Prefix& prefix) { return entry.prefix < prefix; });
    if (at != entries_.end() && at->prefix == pattern.prefix) {
        at->lengths.add(pattern.low, pattern.high);
        return;
    }
    Entry entry{pattern.prefix, {}};
    entry.lengths.add(pattern.low, pattern.high);
    entries_.insert(at, entry);
}

bool PrefixSet::contains(const Prefix& prefix) const {
    if (entries_.empty() || entries_.front().prefix.type() != prefix.type()) return false;
    const Bits bits = bits_of(prefix);
    const unsigned length = prefix.length();
    std::uint32_t at = 0;
    do {
        const Node& node = nodes_[at];
        if (node.length > length || common(node, bits) < node.length) return false;
        if (node.lengths.has(length)) return true;
        if (node.length == length) return false;
        at = node.child[bit_at(bits, node.length)];
    } while (at != 0);
    return false;
}

bool PrefixSet::contains(IpAddress address) const {
    return contains(Prefix::host(address));
}

std::string PrefixSet::to_string() const {
    std::string out = "[";
    for (const Entry& entry : entries_) {
        if (out.size() > 1) out += ", ";
        const IpAddress mask =
            entry.prefix.is_v4()
                ? IpAddress::v4(static_cast<std::uint32_t>(entry.lengths.high >> 32))
                : IpAddress::v6(entry.lengths.high, entry.lengths.low);
        out += entry.prefix.to_string() + "{" + mask.to_string() + "}";
    }
    return out + "]";
}

std::uint64_t PrefixSet::hash() const {
    std::uint64_t hash = entries_.size();
    for (const Entry& entry : entries_) {
        hash = mix64(hash ^ entry.prefix.hash(), entry.lengths.high ^ (entry.lengths.zero ? 1 : 0));
        hash = mix64(hash, entry.lengths.low);
    }
    return hash;
}

std::size_t PrefixSet::memory() const {
    return entries_.capacity() * sizeof(Entry) + nodes_.capacity() * sizeof(Node);
}

}  // namespace tern::net
