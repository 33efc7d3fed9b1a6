#include "router/proto/bgp/wire/update.h"

#include "router/proto/bgp/wire/attr_as_path.h"
#include "router/proto/bgp/wire/attr_next_hop.h"
#include "router/proto/bgp/wire/open.h"

#include <algorithm>

namespace tern::bgp::wire {

/// The work of decode_update; lives for one message.
class UpdateDecoder {
  public:
    UpdateDecoder(const UpdateRules& rules, DecodedUpdate& out) : rules_(rules), out_(out) {}

    void run(Bytes body) {
        clear();
        Reader reader(body);
        const Bytes withdrawn = reader.take(reader.u16());
        const Bytes attributes = reader.take(reader.u16());
        // RFC 4271 section 6.3, kept by RFC 7606 section 3 b.
        if (!reader.ok()) return reset(update_error::malformed_attributes, {});
        const Bytes announced = reader.rest();
        if (body.size() == 4) return mark_end_of_rib(ipv4_unicast);
        out_.withdrawn = NlriField{ipv4_unicast, path_ids(ipv4_unicast), withdrawn};
        out_.announced.nlri = NlriField{ipv4_unicast, path_ids(ipv4_unicast), announced};
        // RFC 7606 section 5.3: prefixes that cannot be told cannot be withdrawn either.
        if (!check_nlri(out_.withdrawn) || !check_nlri(out_.announced.nlri)) {
            return reset(update_error::invalid_network, {});
        }
        attributes_length_ = attributes.size();
        walk(attributes);
        if (out_.treatment == Treatment::reset) return;
        finish();
    }

  private:
    void clear() {
        out_.withdrawn = {};
        out_.mp_withdrawn = {};
        out_.announced = {};
        out_.mp_announced = {};
        out_.has_mp_reach = out_.has_mp_unreach = out_.end_of_rib = false;
        out_.treatment = Treatment::none;
        out_.scratch_.clear();
        out_.count_ = 0;
        out_.fault_count_ = 0;
    }

    void note(std::uint8_t attribute_code, Treatment treatment, std::uint8_t subcode) {
        if (out_.fault_count_ < out_.faults_.size()) {
            out_.faults_[out_.fault_count_++] = {attribute_code, treatment, subcode};
        }
        out_.treatment = std::max(out_.treatment, treatment);
    }

    void reset(std::uint8_t subcode, Bytes data) {
        if (out_.treatment == Treatment::reset) return;
        note(0, Treatment::reset, subcode);
        out_.error = Notification{ErrorCode::update, subcode, {data.begin(), data.end()}};
    }

    void mark_end_of_rib(Family family) {
        out_.end_of_rib = true;
        out_.end_of_rib_family = family;
    }

    [[nodiscard]] const FamilyRules* negotiated(Family family) const {
        for (const FamilyRules& row : rules_.families) {
            if (row.family == family) return &row;
        }
        return nullptr;
    }

    [[nodiscard]] bool path_ids(Family family) const {
        const FamilyRules* row = negotiated(family);
        return row != nullptr && row->path_ids;
    }

    void walk(Bytes rest) {
        while (!rest.empty()) {
            const std::size_t head = rest.size() > 1 && (rest[0] & flag::extended) != 0 ? 4 : 3;
            const std::size_t length = rest.size() < head ? 0
                                       : head == 4        ? load_u16(&rest[2])
                                                          : rest[2];
            if (rest.size() < head + length) {
                const std::uint8_t broken = rest.size() > 1 ? rest[1] : std::uint8_t{0};
                // RFC 7606 section 3 j: its prefixes cannot be told, so they cannot be withdrawn.
                if (broken == code::mp_reach || broken == code::mp_unreach) {
                    return reset(update_error::malformed_attributes, {});
                }
                // RFC 7606 section 4: the list is broken, what was read before still names the
                // prefixes.
                return note(broken, Treatment::treat_as_withdraw,
                            update_error::malformed_attributes);
            }
            one(rest.first(head + length), head);
            if (out_.treatment == Treatment::reset) return;
            rest = rest.subspan(head + length);
        }
    }

    /// True the first time a code is met in this message.
    bool first_time(std::uint8_t attribute_code) {
        std::uint64_t& word = seen_[attribute_code >> 6];
        const std::uint64_t bit = std::uint64_t{1} << (attribute_code & 63);
        if ((word & bit) != 0) return false;
        word |= bit;
        return true;
    }

    [[nodiscard]] bool seen(std::uint8_t attribute_code) const {
        return (seen_[attribute_code >> 6] >> (attribute_code & 63) & 1) != 0;
    }

    void one(Bytes whole, std::size_t head) {
        const std::uint8_t flags = whole[0];
        const std::uint8_t attribute_code = whole[1];
        const Bytes payload = whole.subspan(head);
        if (!first_time(attribute_code)) {
            // RFC 7606 section 3 g: the first one counts, but two MP attributes are fatal.
            if (attribute_code == code::mp_reach || attribute_code == code::mp_unreach) {
                reset(update_error::malformed_attributes, {});
            }
            return;
        }
        const AttributeRow* row = find_attribute(attribute_code);
        if (row == nullptr) return unknown(whole, payload);
        if (ignored(attribute_code)) return;
        if (((flags ^ row->flags) & (flag::optional | flag::transitive)) != 0) {
            // RFC 7606 section 3 c; an MP attribute with wrong flags still may not be trusted.
            if (row->treatment == Treatment::reset) {
                return reset(update_error::attribute_flags, whole);
            }
            return note(attribute_code, Treatment::treat_as_withdraw,
                        update_error::attribute_flags);
        }
        if (!length_fits(*row, payload.size())) {
            if (row->treatment == Treatment::reset) {
                return reset(update_error::optional_attribute, whole);
            }
            return note(attribute_code, row->treatment, update_error::attribute_length);
        }
        if (row->check != nullptr && !row->check(payload, rules_.attributes)) {
            return note(attribute_code, row->treatment, value_subcode(attribute_code));
        }
        accept(*row, flags, payload, whole);
    }

    /// Attributes that this session does not listen to, whatever their value.
    [[nodiscard]] bool ignored(std::uint8_t attribute_code) const {
        const AttributeRules& rules = rules_.attributes;
        switch (attribute_code) {
            // RFC 7606 sections 7.5, 7.9, 7.10: discarded from external neighbours unread.
            case code::local_pref:
                return !rules.interior && !rules.accept_local_pref;
            case code::originator_id:
            case code::cluster_list:
                return !rules.interior;
            // RFC 6793 section 4.1: a NEW speaker discards them from a NEW speaker.
            case code::as4_path:
            case code::as4_aggregator:
                return rules.as4;
            // RFC 7311 section 3.3: discarded from a session it is not enabled on.
            case code::aigp:
                return !rules.accept_aigp;
            default:
                return false;
        }
    }

    static std::uint8_t value_subcode(std::uint8_t attribute_code) {
        switch (attribute_code) {
            case code::origin:
                return update_error::invalid_origin;
            case code::as_path:
                return update_error::malformed_as_path;
            case code::next_hop:
                return update_error::invalid_next_hop;
            default:
                return update_error::optional_attribute;
        }
    }

    void unknown(Bytes whole, Bytes payload) {
        const std::uint8_t flags = whole[0];
        if ((flags & flag::optional) == 0) {
            return reset(update_error::unrecognized_well_known, whole);
        }
        // RFC 4271 section 9: passed on with Partial set if transitive, else quietly ignored.
        if ((flags & flag::transitive) == 0) return;
        add({whole[1],
             static_cast<std::uint8_t>((flags & (flag::optional | flag::transitive)) |
                                       flag::partial),
             payload});
    }

    void add(PathAttribute attribute) {
        // Nearly always in ascending order already; otherwise moved to its place.
        std::size_t at = out_.count_++;
        while (at > 0 && out_.list_[at - 1].code > attribute.code) {
            out_.list_[at] = out_.list_[at - 1];
            --at;
        }
        out_.list_[at] = attribute;
    }

    void accept(const AttributeRow& row, std::uint8_t flags, Bytes payload, Bytes whole) {
        switch (row.code) {
            case code::next_hop:
                out_.announced.next_hop = payload;
                return;
            case code::mp_reach:
                return mp_reach(payload, whole);
            case code::mp_unreach:
                return mp_unreach(payload, whole);
            case code::as4_path:
                as4_path_ = payload;
                return;
            case code::as4_aggregator:
                as4_aggregator_ = payload;
                return;
            default:
                break;
        }
        add({row.code,
             static_cast<std::uint8_t>(flags & (flag::optional | flag::transitive | flag::partial)),
             payload});
    }

    void mp_reach(Bytes payload, Bytes whole) {
        const Family family{load_u16(payload.data()), payload[2]};
        const std::size_t hop_length = payload[3];
        out_.has_mp_reach = true;
        // AFI, SAFI, length, next hop, reserved octet.
        if (payload.size() < 4 + hop_length + 1) {
            return reset(update_error::optional_attribute, whole);
        }
        const FamilyRules* row = negotiated(family);
        // RFC 4760 section 7 allows to ignore a family that was not agreed upon.
        if (row == nullptr) return;
        const Bytes hop = payload.subspan(4, hop_length);
        if (!next_hop_length_fits(family, hop_length, row->extended_next_hop)) {
            // RFC 7606 section 7.11: such a length makes the NLRI's start doubtful.
            return reset(update_error::optional_attribute, whole);
        }
        const NlriField field{family, row->path_ids, payload.subspan(5 + hop_length)};
        if (!check_nlri(field)) return reset(update_error::optional_attribute, whole);
        if (!next_hop_is_usable(hop)) {
            note(code::mp_reach, Treatment::treat_as_withdraw, update_error::invalid_next_hop);
        }
        out_.mp_announced = {field, hop};
    }

    void mp_unreach(Bytes payload, Bytes whole) {
        const Family family{load_u16(payload.data()), payload[2]};
        out_.has_mp_unreach = true;
        mp_unreach_empty_ = payload.size() == 3;
        mp_unreach_family_ = family;
        const FamilyRules* row = negotiated(family);
        if (row == nullptr) return;
        const NlriField field{family, row->path_ids, payload.subspan(3)};
        if (!check_nlri(field)) return reset(update_error::optional_attribute, whole);
        out_.mp_withdrawn = field;
    }

    void finish() {
        if (!out_.announced.empty() || !out_.mp_announced.empty()) {
            check_mandatory();
            if (!rules_.attributes.as4) recover_as4();
            unique_communities();
            return;
        }
        if (out_.withdrawn.empty() && mp_unreach_empty_ && only_mp_unreach()) {
            return mark_end_of_rib(mp_unreach_family_);
        }
        // RFC 7606 section 5.2: an error in attributes that name no reachable prefix means that
        // the prefixes themselves may have been lost.
        if (out_.treatment == Treatment::treat_as_withdraw && !out_.has_mp_reach) {
            reset(update_error::malformed_attributes, {});
        }
    }

    [[nodiscard]] bool only_mp_unreach() const {
        return out_.count_ == 0 && out_.announced.next_hop.empty() && !out_.has_mp_reach &&
               out_.treatment == Treatment::none;
    }

    // RFC 7606 section 3 d.
    void check_mandatory() {
        for (std::uint8_t wanted : {code::origin, code::as_path}) {
            if (!seen(wanted)) missing(wanted);
        }
        if (!out_.announced.empty() && !seen(code::next_hop)) missing(code::next_hop);
        // RFC 4271 section 5.1.5: LOCAL_PREF is part of every UPDATE of an internal session, but
        // a default exists and being strict helps nobody.
    }

    void missing(std::uint8_t attribute_code) {
        note(attribute_code, Treatment::treat_as_withdraw, update_error::missing_well_known);
    }

    PathAttribute* find(std::uint8_t attribute_code) {
        for (std::size_t i = 0; i < out_.count_; ++i) {
            if (out_.list_[i].code == attribute_code) return &out_.list_[i];
        }
        return nullptr;
    }

    // RFC 6793 section 4.2.3. The scratch buffer is reserved first, so that spans into it stay.
    void recover_as4() {
        if (out_.treatment >= Treatment::treat_as_withdraw) return;
        std::vector<std::uint8_t>& scratch = out_.scratch_;
        scratch.reserve(attributes_length_ * 6 + 16);
        PathAttribute* aggregator = find(code::aggregator);
        const bool ignore_as4 =
            aggregator != nullptr && load_u16(aggregator->payload.data()) != as_trans;
        if (aggregator != nullptr) {
            if (!ignore_as4 && !as4_aggregator_.empty()) {
                aggregator->payload = as4_aggregator_;
            } else {
                const std::size_t at = scratch.size();
                scratch.insert(scratch.end(), {0, 0});
                scratch.insert(scratch.end(), aggregator->payload.begin(),
                               aggregator->payload.end());
                aggregator->payload = Bytes(scratch).subspan(at);
            }
        }
        PathAttribute* path = find(code::as_path);
        if (path == nullptr) return;
        const std::size_t at = scratch.size();
        widen_as_path(path->payload, scratch);
        path->payload = Bytes(scratch).subspan(at);
        if (as4_path_.empty() || ignore_as4) return;
        const std::size_t merged = scratch.size();
        merge_as4_path(path->payload, as4_path_, scratch);
        path->payload = Bytes(scratch).subspan(merged);
    }

    void unique_communities() {
        PathAttribute* large = find(code::large_community);
        if (large == nullptr || !has_repeated_large_community(large->payload)) return;
        std::vector<std::uint8_t>& scratch = out_.scratch_;
        if (scratch.capacity() - scratch.size() < large->payload.size()) {
            // Only without recover_as4, hence with nothing else pointing into the buffer.
            TERN_ASSERT(scratch.empty());
            scratch.reserve(attributes_length_ * 6 + 16);
        }
        const std::size_t at = scratch.size();
        unique_large_communities(large->payload, scratch);
        large->payload = Bytes(scratch).subspan(at);
    }

    const UpdateRules& rules_;
    DecodedUpdate& out_;
    std::array<std::uint64_t, 4> seen_ = {};
    Bytes as4_path_ = {};
    Bytes as4_aggregator_ = {};
    std::size_t attributes_length_ = 0;
    Family mp_unreach_family_ = {};
    bool mp_unreach_empty_ = false;
};

const PathAttribute* DecodedUpdate::find(std::uint8_t attribute_code) const {
    for (const PathAttribute& attribute : attributes()) {
        if (attribute.code == attribute_code) return &attribute;
    }
    return nullptr;
}

void decode_update(Bytes body, const UpdateRules& rules, DecodedUpdate& out) {
    UpdateDecoder(rules, out).run(body);
}

}  // namespace tern::bgp::wire
