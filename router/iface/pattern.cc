#include "router/iface/pattern.h"

#include <algorithm>

namespace tern::iface {

bool wildcard_match(std::string_view mask, std::string_view text) {
    std::size_t m = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;  // behind the last `*`
    std::size_t retry = 0;                      // where its text may end next
    while (t < text.size()) {
        const bool escaped = m + 1 < mask.size() && mask[m] == '\\';
        if (m < mask.size() && mask[m] == '*') {
            star = ++m;
            retry = t;
        } else if (m < mask.size() && !escaped && (mask[m] == '?' || mask[m] == text[t])) {
            ++m;
            ++t;
        } else if (escaped && mask[m + 1] == text[t]) {
            m += 2;
            ++t;
        } else if (star != std::string_view::npos) {
            m = star;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (m < mask.size() && mask[m] == '*')
        ++m;
    return m == mask.size();
}

bool matches(const config::InterfacePattern& pattern,
             const Interface& interface,
             const Address* address) {
    const auto fits = [&](const config::InterfaceClause& clause) {
        if (clause.mask && !wildcard_match(*clause.mask, interface.name)) return false;
        if (!clause.prefix) return true;
        if (address != nullptr) return clause.prefix->contains(address->ip);
        return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                           [&](const Address& own) { return clause.prefix->contains(own.ip); });
    };
    for (const config::InterfaceClause& clause : pattern.clauses) {
        if (fits(clause)) return !clause.negative;
    }
    return false;
}

}  // namespace tern::iface
