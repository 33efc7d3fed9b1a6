#pragma once

/// What a decoded UPDATE does to the session and its routes.
/// The decoder notes faults; this says which prefixes are announced, which are withdrawn and
/// whether the session ends, so that import handles one shape only. Pure.
/// Source: RFC 7606 sections 2, 3 and 5.

#include "router/proto/bgp/wire/update.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace tern::bgp {

class UpdateVerdict {
  public:
    /// The session has to end with `update.error`.
    bool reset = false;
    /// Announced prefixes were turned into withdrawn ones.
    bool withdrawn_by_error = false;

    /// Withdrawals first: RFC 4271 section 4.3 gives announcements the last word.
    [[nodiscard]] std::span<const wire::NlriField> withdrawn() const {
        return {withdrawn_.data(), withdrawn_count_};
    }

    [[nodiscard]] std::span<const wire::Announcement> announced() const {
        return {announced_.data(), announced_count_};
    }

  private:
    friend UpdateVerdict judge(const wire::DecodedUpdate& update, bool withdraw_all);

    void withdraw(const wire::NlriField& field) {
        if (!field.empty()) withdrawn_[withdrawn_count_++] = field;
    }

    void announce(const wire::Announcement& announcement) {
        if (!announcement.empty()) announced_[announced_count_++] = announcement;
    }

    std::array<wire::NlriField, 4> withdrawn_ = {};
    std::array<wire::Announcement, 2> announced_ = {};
    std::size_t withdrawn_count_ = 0;
    std::size_t announced_count_ = 0;
};

/// `withdraw_all` is the verdict of path checks: the announcements count as withdrawals.
[[nodiscard]] UpdateVerdict judge(const wire::DecodedUpdate& update, bool withdraw_all);

/// One line for the log: "attribute 8 (community): invalid length, treating as withdraw".
[[nodiscard]] std::string fault_text(const wire::AttributeFault& fault);

}  // namespace tern::bgp
