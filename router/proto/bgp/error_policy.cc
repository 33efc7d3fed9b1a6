#include "router/proto/bgp/error_policy.h"

#include <fmt/format.h>

namespace tern::bgp {

namespace {

std::string_view treatment_text(wire::Treatment treatment) {
    switch (treatment) {
        case wire::Treatment::none:
            return "ignoring";
        case wire::Treatment::discard_attribute:
            return "discarding attribute";
        case wire::Treatment::treat_as_withdraw:
            return "treating as withdraw";
        case wire::Treatment::reset:
            return "closing session";
    }
    return "?";
}

}  // namespace

UpdateVerdict judge(const wire::DecodedUpdate& update, bool withdraw_all) {
    UpdateVerdict verdict;
    if (update.treatment == wire::Treatment::reset) {
        verdict.reset = true;
        return verdict;
    }
    verdict.withdraw(update.withdrawn);
    verdict.withdraw(update.mp_withdrawn);
    verdict.withdrawn_by_error =
        withdraw_all || update.treatment == wire::Treatment::treat_as_withdraw;
    if (verdict.withdrawn_by_error) {
        verdict.withdraw(update.announced.nlri);
        verdict.withdraw(update.mp_announced.nlri);
    } else {
        verdict.announce(update.announced);
        verdict.announce(update.mp_announced);
    }
    return verdict;
}

std::string fault_text(const wire::AttributeFault& fault) {
    const std::string error =
        wire::error_text(static_cast<std::uint8_t>(wire::ErrorCode::update), fault.subcode);
    if (fault.code == 0) return fmt::format("{}, {}", error, treatment_text(fault.treatment));
    const wire::AttributeRow* row = wire::find_attribute(fault.code);
    return fmt::format("attribute {} ({}): {}, {}", fault.code,
                       row == nullptr ? std::string_view("unknown") : row->name, error,
                       treatment_text(fault.treatment));
}

}  // namespace tern::bgp
