#pragma once

/// Origin validation (RFC 6811) and path validation (ASPA) as pure functions over small sources.
/// Filters ask for them through filter::Environment; tables implement the sources. The results'
/// numeric values are those of the filter constants ROA_* and ASPA_*. Nothing here locks or keeps
/// state; a source must stay unchanged during one call, which is its owner's domain to ensure.

#include "router/net/prefix.h"

#include <cstdint>
#include <span>

namespace tern::filter {

enum class RoaState : std::uint8_t { unknown, valid, invalid };
enum class AspaState : std::uint8_t { unknown, valid, invalid };

struct Roa {
    net::Prefix prefix;
    std::uint8_t max_length;
    std::uint32_t asn;
};

/// Receives ROAs; false ends the walk.
class RoaVisitor {
  public:
    virtual bool visit(const Roa& roa) = 0;

  protected:
    ~RoaVisitor() = default;
};

class RoaSource {
  public:
    /// All ROAs whose prefix contains `prefix`, in any order.
    virtual void visit_covering(const net::Prefix& prefix, RoaVisitor& visitor) const = 0;

  protected:
    ~RoaSource() = default;
};

/// RFC 6811 section 2. An `asn` of 0 (no origin) is never valid.
[[nodiscard]] RoaState roa_check(const RoaSource& source,
                                 const net::Prefix& prefix,
                                 std::uint32_t asn);

/// What the attestations say about one AS having another as its provider.
enum class Authorization : std::uint8_t { no_attestation, not_provider, provider };

class AspaSource {
  public:
    [[nodiscard]] virtual Authorization authorization(std::uint32_t customer,
                                                      std::uint32_t provider) const = 0;

  protected:
    ~AspaSource() = default;
};

/// `path` as received: the neighbour first, the origin last; repeated ASNs count once. An empty
/// path is invalid; paths with sets or confederation segments are for the caller to refuse.
[[nodiscard]] AspaState aspa_check(const AspaSource& source,
                                   std::span<const std::uint32_t> path,
                                   bool upstream);

}  // namespace tern::filter
