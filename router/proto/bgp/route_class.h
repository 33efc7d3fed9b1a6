#pragma once
/// BGP routes as tables see them: who owns them, how two compare, what `show route` says.
/// A BgpOwner is made for each session that comes up and keeps the session's facts for as long as a
/// route of it exists; the class object is one per process image and has no state. Never used for
/// anything a table does not ask.

#include "router/proto/bgp/session_facts.h"
#include "router/table/route_source.h"

namespace tern::bgp {

class BgpOwner final : public table::SourceOwner {
  public:
    BgpOwner(std::string protocol_name, const SessionFacts& facts);

    [[nodiscard]] const SessionFacts& facts() const { return facts_; }

    [[nodiscard]] net::IpAddress from() const override { return facts_.remote_address; }

    [[nodiscard]] std::uint32_t source_kind() const override;

  private:
    SessionFacts facts_;
};

class BgpRouteClass final : public table::RouteClass {
  public:
    constexpr BgpRouteClass() = default;
    constexpr ~BgpRouteClass() override = default;

    [[nodiscard]] unsigned order() const override;
    [[nodiscard]] bool better(const table::RouteValue& a,
                              const table::SourceOwner& owner_a,
                              const table::RouteValue& b,
                              const table::SourceOwner& owner_b) const override;
    [[nodiscard]] bool mergeable(const table::RouteValue& a,
                                 const table::SourceOwner& owner_a,
                                 const table::RouteValue& b,
                                 const table::SourceOwner& owner_b) const override;
    [[nodiscard]] std::string info(const table::RouteValue& route,
                                   const table::SourceOwner& owner) const override;
};

/// The object all BGP owners refer to.
[[nodiscard]] const BgpRouteClass& route_class();
/// The session facts of a BGP owner (through pipes); null if another protocol's.
[[nodiscard]] const SessionFacts* session_facts(const table::SourceOwner& owner);

}  // namespace tern::bgp
