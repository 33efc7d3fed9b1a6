#include "router/proto/bgp/export_attributes.h"

#include "router/proto/bgp/attributes.h"
#include "router/proto/bgp/wire/attr_as_path.h"
#include "router/proto/bgp/wire/open.h"

#include <array>

namespace tern::bgp {

namespace {

namespace code = wire::code;
namespace flag = wire::flag;

// RFC 1997 and RFC 9494 section 4.1.
constexpr std::uint32_t llgr_stale = 0xffff0006;
constexpr std::uint32_t no_export = 0xffffff01;
constexpr std::uint32_t no_advertise = 0xffffff02;
constexpr std::uint32_t no_export_subconfed = 0xffffff03;

bool community_forbids(std::uint32_t community, const SessionFacts& to) {
    switch (community) {
        case no_advertise:
            return true;
        case no_export_subconfed:
            return to.kind != PeerKind::internal;
        case no_export:
            return !to.interior();
        case llgr_stale:
            return !to.llgr_aware;
        default:
            return false;
    }
}

bool has_word(Bytes list, std::uint32_t value) {
    for (std::size_t i = 0; i + 4 <= list.size(); i += 4) {
        if (load_u32(list.data() + i) == value) return true;
    }
    return false;
}

bool reflects(const SessionFacts* source, const SessionFacts& to) {
    return source != nullptr && source->kind == PeerKind::internal && to.kind == PeerKind::internal;
}

/// Writes one route's attributes, ascending by code.
class ExportEncoder {
  public:
    ExportEncoder(const ExportInputs& route, const SessionFacts& to, std::vector<std::uint8_t>& out)
        : route_(route), to_(to), out_(out) {}

    bool run() {
        make_path();
        origin();
        put(code::as_path, path_out_);
        if (route_.put_next_hop) next_hop();
        med();
        local_pref();
        rest();
        return ok_;
    }

  private:
    void put(std::uint8_t attribute_code, std::uint8_t flags, Bytes payload) {
        if (payload.size() > 0xffff) {
            ok_ = false;
            return;
        }
        wire::put_attribute(out_, {attribute_code, flags, payload});
    }

    void put(std::uint8_t attribute_code, Bytes payload) {
        put(attribute_code, wire::find_attribute(attribute_code)->flags, payload);
    }

    void put_word(std::uint8_t attribute_code, std::uint32_t word) {
        std::array<std::uint8_t, 4> octets{};
        store_u32(octets.data(), word);
        put(attribute_code, octets);
    }

    /// With the Partial bit the route came with.
    void pass(const attr::AttributeRef& attribute, std::uint8_t flags) {
        put(static_cast<std::uint8_t>(attribute.id - attr::bgp_base),
            static_cast<std::uint8_t>(flags | (attribute.flags & flag::partial)), attribute.bytes);
    }

    void origin() {
        constexpr std::uint32_t igp = 0;
        constexpr std::uint32_t incomplete = 2;
        const std::uint32_t otherwise = route_.source == nullptr ? igp : incomplete;
        const std::uint8_t value =
            static_cast<std::uint8_t>(route_.attributes.word_or(id::origin, otherwise));
        put(code::origin, Bytes(&value, 1));
    }

    // RFC 4271 section 5.1.2, RFC 5065 section 4.1, RFC 7947 section 2.2.2.
    void make_path() {
        const Bytes path = route_.attributes.bytes(id::as_path);
        std::vector<std::uint8_t> full;
        full.reserve(path.size() + 6);
        if (to_.kind == PeerKind::internal || (to_.kind == PeerKind::external && to_.rs_client)) {
            if (to_.kind == PeerKind::external) {
                wire::strip_confed_segments(path, full);
            } else {
                full.assign(path.begin(), path.end());
            }
        } else if (to_.kind == PeerKind::confederation) {
            wire::prepend_as(path, {wire::SegmentType::confed_sequence, to_.local_as.value()},
                             full);
        } else {
            std::vector<std::uint8_t> plain;
            wire::strip_confed_segments(path, plain);
            wire::prepend_as(plain, {wire::SegmentType::sequence, to_.public_as.value()}, full);
        }
        if (to_.as4) {
            path_out_ = std::move(full);
            return;
        }
        // RFC 6793 section 4.2.2.
        if (wire::narrow_as_path(full, path_out_)) wire::strip_confed_segments(full, as4_path_);
    }

    void next_hop() {
        std::array<std::uint8_t, 4> octets{};
        route_.hop.hop.address.store4(octets.data());
        put(code::next_hop, octets);
    }

    // RFC 4271 section 5.1.4: not passed on to other neighbouring AS.
    void med() {
        if (!route_.attributes.has(id::med)) return;
        if (to_.kind == PeerKind::external && !route_.fresh_med && !to_.allow_med &&
            !to_.rs_client) {
            return;
        }
        put_word(code::med, route_.attributes.word_or(id::med, 0));
    }

    // RFC 4271 section 5.1.5.
    void local_pref() {
        if (to_.interior()) {
            put_word(code::local_pref,
                     route_.attributes.word_or(id::local_pref, to_.default_local_pref));
        } else if (to_.allow_local_pref && route_.attributes.has(id::local_pref)) {
            put_word(code::local_pref, route_.attributes.word_or(id::local_pref, 0));
        }
    }

    /// Codes above LOCAL_PREF, with those that are added put in their places.
    void rest() {
        for (unsigned i = 0; i < route_.attributes.count(); ++i) {
            const attr::AttributeRef attribute = route_.attributes.at(i);
            if (!is_bgp_attribute(attribute.id) || attribute.id <= id::local_pref) continue;
            const std::uint8_t attribute_code =
                static_cast<std::uint8_t>(attribute.id - attr::bgp_base);
            extras_before(attribute_code);
            one(attribute_code, attribute);
        }
        extras_before(0xff);
    }

    /// Attributes that the set does not carry in the form to be sent.
    void extras_before(std::uint8_t attribute_code) {
        const auto due = [&](std::uint8_t extra) {
            return extra_done_ < extra && extra <= attribute_code;
        };
        if (due(code::originator_id)) originator();
        if (due(code::cluster_list)) clusters();
        if (due(code::as4_path) && !as4_path_.empty()) put(code::as4_path, as4_path_);
        if (due(code::as4_aggregator) && !as4_aggregator_.empty()) {
            put(code::as4_aggregator, as4_aggregator_);
        }
        if (due(code::aigp)) aigp();
        if (due(code::otc)) only_to_customer();
        extra_done_ = attribute_code;
    }

    void one(std::uint8_t attribute_code, const attr::AttributeRef& attribute) {
        switch (attribute_code) {
            case code::aggregator:
                return aggregator(attribute);
            case code::originator_id:
            case code::cluster_list:
            case code::aigp:
            case code::otc:
                return;  // see extras_before
            case code::ext_community:
                return extended(attribute);
            default:
                break;
        }
        const wire::AttributeRow* row = wire::find_attribute(attribute_code);
        if (attribute.bytes.empty() && attribute_code != code::atomic_aggregate) {
            if (row != nullptr) return;  // an empty community list
        }
        pass(attribute, row != nullptr
                            ? row->flags
                            : static_cast<std::uint8_t>(flag::optional | flag::transitive));
    }

    // RFC 6793 section 4.2.2.
    void aggregator(const attr::AttributeRef& attribute) {
        if (attribute.bytes.size() != 8) return;
        const std::uint8_t flags = flag::optional | flag::transitive;
        if (to_.as4) return pass(attribute, flags);
        std::uint32_t as = load_u32(attribute.bytes.data());
        if (as > 0xffff) {
            as4_aggregator_.assign(attribute.bytes.begin(), attribute.bytes.end());
            as = wire::as_trans;
        }
        std::array<std::uint8_t, 6> octets{};
        store_u16(octets.data(), static_cast<std::uint16_t>(as));
        store_u32(octets.data() + 2, load_u32(attribute.bytes.data() + 4));
        put(code::aggregator, static_cast<std::uint8_t>(flags | (attribute.flags & flag::partial)),
            octets);
    }

    // RFC 4360 section 6: non-transitive ones stay within the AS.
    void extended(const attr::AttributeRef& attribute) {
        constexpr std::uint8_t non_transitive = 0x40;
        std::vector<std::uint8_t> kept;
        kept.reserve(attribute.bytes.size());
        for (std::size_t i = 0; i + 8 <= attribute.bytes.size(); i += 8) {
            if (!to_.interior() && (attribute.bytes[i] & non_transitive) != 0) continue;
            const Bytes one = attribute.bytes.subspan(i, 8);
            kept.insert(kept.end(), one.begin(), one.end());
        }
        if (kept.empty()) return;
        attr::AttributeRef part = attribute;
        part.bytes = kept;
        pass(part, flag::optional | flag::transitive);
    }

    // RFC 4456 section 8.
    void originator() {
        if (to_.kind != PeerKind::internal) return;
        if (route_.attributes.has(id::originator_id)) {
            put_word(code::originator_id, route_.attributes.word_or(id::originator_id, 0));
        } else if (reflects(route_.source, to_)) {
            put_word(code::originator_id, route_.source->remote_id.value());
        }
    }

    void clusters() {
        if (to_.kind != PeerKind::internal) return;
        const Bytes list = route_.attributes.bytes(id::cluster_list);
        std::vector<std::uint8_t> clusters;
        if (reflects(route_.source, to_)) {
            clusters.resize(4);
            store_u32(clusters.data(), to_.cluster_id.value());
        }
        clusters.insert(clusters.end(), list.begin(), list.end());
        if (!clusters.empty()) put(code::cluster_list, clusters);
    }

    // RFC 7311 section 3.4.
    void aigp() {
        if (!route_.aigp.enabled) return;
        const Bytes payload = route_.attributes.bytes(id::aigp);
        wire::Aigp read = wire::read_aigp(payload);
        if (!read.present) {
            if (!route_.aigp.originate || !route_.hop.self) return;
            read.metric = 0;
        } else if (!route_.hop.self) {
            put(code::aigp, payload);
            return;
        }
        constexpr std::uint64_t most = ~std::uint64_t{0};
        const std::uint64_t step = route_.aigp.metric;
        const std::uint64_t total = read.metric > most - step ? most : read.metric + step;
        std::array<std::uint8_t, 11> tlv{1, 0, 11};
        store_u64(tlv.data() + 3, total);
        put(code::aigp, tlv);
    }

    // RFC 9234 section 5: egress rule 1.
    void only_to_customer() {
        constexpr std::uint8_t flags = flag::optional | flag::transitive;
        std::array<std::uint8_t, 4> octets{};
        if (const auto otc = route_.attributes.find(id::otc)) {
            store_u32(octets.data(), otc->word);
            return put(code::otc, static_cast<std::uint8_t>(flags | (otc->flags & flag::partial)),
                       octets);
        }
        if (!to_.local_role) return;
        const wire::Role role = *to_.local_role;
        if (role == wire::Role::provider || role == wire::Role::peer ||
            role == wire::Role::rs_server) {
            put_word(code::otc, to_.public_as.value());
        }
    }

    const ExportInputs& route_;
    const SessionFacts& to_;
    std::vector<std::uint8_t>& out_;
    std::vector<std::uint8_t> path_out_ = {};
    std::vector<std::uint8_t> as4_path_ = {};
    std::vector<std::uint8_t> as4_aggregator_ = {};
    std::uint8_t extra_done_ = code::local_pref;
    bool ok_ = true;
};

}  // namespace

ExportRule may_export(const attr::AttributeSet& attributes,
                      const SessionFacts* source,
                      const SessionFacts& to) {
    if (reflects(source, to)) {
        if (!source->rr_client && !to.rr_client) return ExportRule::not_reflected;
        // RFC 4456 section 8: our own cluster in the list means that the route has been here.
        if (has_word(attributes.bytes(id::cluster_list), to.cluster_id.value())) {
            return ExportRule::cluster_loop;
        }
    }
    if (to.interpret_communities) {
        const Bytes list = attributes.bytes(id::community);
        for (std::size_t i = 0; i + 4 <= list.size(); i += 4) {
            if (community_forbids(load_u32(list.data() + i), to)) return ExportRule::community;
        }
    }
    // RFC 9234 section 5: egress rule 2.
    if (to.local_role && attributes.has(id::otc)) {
        const wire::Role role = *to.local_role;
        if (role == wire::Role::customer || role == wire::Role::peer ||
            role == wire::Role::rs_client) {
            return ExportRule::only_to_customer;
        }
    }
    return ExportRule::allowed;
}

bool encode_export(const ExportInputs& route,
                   const SessionFacts& to,
                   std::vector<std::uint8_t>& out) {
    const std::size_t before = out.size();
    if (ExportEncoder(route, to, out).run()) return true;
    out.resize(before);
    return false;
}

}  // namespace tern::bgp
