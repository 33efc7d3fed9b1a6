#include "router/iface/interface.h"

namespace tern::iface {
namespace {

const Address* at(const std::vector<Address>& addresses, std::int32_t position) {
    return position < 0 ? nullptr : &addresses[static_cast<std::size_t>(position)];
}

}  // namespace

const Address* Interface::preferred(bool v4) const {
    return at(addresses, v4 ? preferred_ip4 : preferred_ip6);
}

const Address* Interface::link_local() const {
    return at(addresses, preferred_link_local);
}

const Address* Interface::find_address(const net::IpAddress& ip) const {
    for (const Address& address : addresses) {
        if (address.ip == ip) return &address;
    }
    return nullptr;
}

InterfaceRef InterfaceRef::make(Interface value) {
    InterfaceRef result;
    auto shared = std::make_unique<Shared>();
    shared->value = std::move(value);
    result.shared_ = shared.release();
    return result;
}

InterfaceRef::InterfaceRef(const InterfaceRef& other) : shared_(other.shared_) {
    if (shared_ != nullptr) shared_->uses.fetch_add(1, std::memory_order_relaxed);
}

InterfaceRef::~InterfaceRef() {
    if (shared_ == nullptr) return;
    if (shared_->uses.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::unique_ptr<Shared> last(shared_);
}

}  // namespace tern::iface
