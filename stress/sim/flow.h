#pragma once
/// What a simulated TCP connection consists of: two halves, each with what it sent and has
/// received. Plain data owned by SimNetwork, which has all the rules; connections hold a reference
/// while they are one of its ends. It lives until both ends are closed and nothing is on the way
/// any more.

#include "loops/time.h"
#include "router/net/ip_address.h"
#include "router/os/network.h"

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace tern::sim {

class Host;
class SimConnection;

enum class FlowId : std::uint64_t {};

/// A wire between two hosts. Only what stands under `options` of add_link() is fixed.
struct Link {
    std::array<Host*, 2> hosts = {};
    std::array<net::IpAddress, 2> addresses;
    unsigned length = 0;
    loops::Duration delay;
    loops::Duration jitter;
    std::uint64_t reset_one_in = 0;
    bool up = true;
};

enum class SegmentKind : std::uint8_t {
    call,    ///< asks for a connection
    accept,  ///< the answer to it
    data,
    end,    ///< no more data from here
    reset,  ///< there is no such connection (any more)
};

struct Segment {
    SegmentKind kind = SegmentKind::data;
    std::vector<std::uint8_t> data;
    loops::Instant sent;
    loops::Instant due;
};

/// One end and the direction that starts there.
struct Half {
    Host* host = nullptr;
    os::Endpoint address;
    SimConnection* socket = nullptr;  ///< null before it is accepted and after it is closed
    std::uint8_t ttl = 64;
    std::uint8_t min_ttl = 0;
    bool exists = false;       ///< this end knows of the connection
    bool established = false;  ///< data may be sent
    bool ended = false;        ///< the other end has sent its last
    int error = 0;
    loops::Instant next_attempt;     ///< what did not pass is tried again then
    std::deque<Segment> sent;        ///< on the way to the other end, in order
    std::size_t unacknowledged = 0;  ///< bytes sent and not known to be read
    std::vector<std::uint8_t> received;
    std::size_t taken = 0;  ///< bytes of `received` already read

    [[nodiscard]] std::size_t unread() const { return received.size() - taken; }
};

/// Side 0 called, side 1 was called.
struct Flow {
    FlowId id{};
    Link* link = nullptr;
    std::array<Half, 2> halves;
    std::string secret;  ///< TCP-MD5 secret of the caller
};

/// What has travelled so far.
struct Traffic {
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
    std::uint64_t fingerprint = 0;
};

}  // namespace tern::sim
