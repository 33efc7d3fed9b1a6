#pragma once

/// The lock order of this program, and what all connections share: keys and values with a time to
/// live. The values are guarded: nobody reaches them but through their domain.

#include "alloc/pool.h"
#include "locking/guarded.h"
#include "loops/time.h"

#include <map>
#include <string>
#include <string_view>

namespace kvd {

namespace alloc = tern::alloc;
namespace locking = tern::locking;
namespace loops = tern::loops;

// Handlers of the main loop hold Main, those of a connection Peer; both may take Keys. Another
// order does not compile.
struct Main {
    static constexpr locking::LockRank rank = 100;
    static constexpr std::string_view name = "main";
};

struct Peer {
    static constexpr locking::LockRank rank = 200;
    static constexpr std::string_view name = "peer";
};

struct Keys {
    static constexpr locking::LockRank rank = 300;
    static constexpr std::string_view name = "keys";
};

using Order = locking::LockOrder<Main, Peer, Keys>;

struct Value {
    std::string text;
    loops::Instant expiry;
};

using Values = std::map<std::string, Value, std::less<>>;
using Store = locking::Guarded<Values, Keys>;

}  // namespace kvd
