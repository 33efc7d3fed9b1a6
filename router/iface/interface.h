#pragma once
/// One interface of the host with its addresses, as an immutable value.
/// The registry makes a new value at every change and shares it by use count, so whoever holds an
/// `InterfaceRef` sees one consistent state for as long as it likes, in any thread and without a
/// lock. A value never changes after it was published and never points to other interfaces.

#include "router/net/ip_address.h"
#include "router/net/prefix.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tern::iface {

/// The kernel's number of an interface; 0 is no interface.
using InterfaceIndex = std::uint32_t;

/// An address configured on an interface.
struct Address {
    net::IpAddress ip;
    net::Prefix prefix;        ///< the network; for a peer address the peer's host prefix
    net::IpAddress broadcast;  ///< unspecified if none
    net::IpAddress opposite;   ///< other end of a point-to-point address; unspecified if none
    net::Scope scope = net::Scope::undefined;
    bool secondary = false;
    bool peer = false;  ///< point to point
    bool host = false;  ///< a host address: /32 or /128 without a peer

    friend bool operator==(const Address&, const Address&) = default;
};

/// What an interface is made of, beyond plain links.
enum class InterfaceKind : std::uint8_t { plain, bridge, vxlan, vrf };

/// What the kernel says about a link.
struct LinkInfo {
    InterfaceIndex index = 0;
    std::string name;
    InterfaceIndex master = 0;
    InterfaceKind kind = InterfaceKind::plain;
    std::uint32_t mtu = 0;
    std::uint32_t vrf_table = 0;  ///< kernel table of a VRF device
    bool admin_up = false;
    bool link_up = false;
    bool loopback = false;
    bool point_to_point = false;
    bool broadcast = false;
    bool multicast = false;

    friend bool operator==(const LinkInfo&, const LinkInfo&) = default;
};

/// Configured by the device protocol for interfaces that match a pattern.
struct PreferredAddresses {
    net::IpAddress ip4;
    net::IpAddress ip6;
    net::IpAddress link_local;
};

struct Interface : LinkInfo {
    std::uint64_t generation = 0;  ///< differs between two lives of one index
    std::vector<Address> addresses;
    /// Positions in `addresses`; -1 if there is none of the kind.
    std::int32_t preferred_ip4 = -1;
    std::int32_t preferred_ip6 = -1;
    std::int32_t preferred_link_local = -1;
    InterfaceIndex vrf = 0;  ///< index of the master if that is a VRF, else 0
    std::string master_name;

    /// Protocols run on it when it is up and not ignored.
    [[nodiscard]] bool up() const { return admin_up; }

    [[nodiscard]] bool ignored() const { return loopback; }

    [[nodiscard]] bool multi_access() const { return !point_to_point; }

    [[nodiscard]] const Address* preferred(bool v4) const;
    [[nodiscard]] const Address* link_local() const;
    [[nodiscard]] const Address* find_address(const net::IpAddress& ip) const;
};

/// Use-counted handle of a published value.
class InterfaceRef {
  public:
    InterfaceRef() = default;
    InterfaceRef(const InterfaceRef& other);

    InterfaceRef(InterfaceRef&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}

    InterfaceRef& operator=(InterfaceRef other) noexcept {
        std::swap(shared_, other.shared_);
        return *this;
    }

    ~InterfaceRef();

    /// Publishes a value.
    [[nodiscard]] static InterfaceRef make(Interface value);

    explicit operator bool() const { return shared_ != nullptr; }

    const Interface& operator*() const { return shared_->value; }

    const Interface* operator->() const { return &shared_->value; }

    [[nodiscard]] const Interface* get() const { return shared_ ? &shared_->value : nullptr; }

  private:
    struct Shared {
        Interface value;
        std::atomic<std::uint32_t> uses{1};
    };

    Shared* shared_ = nullptr;
};

}  // namespace tern::iface
