#include "router/os/netlink_socket.h"

#include "loops/loop.h"

#include <cerrno>
#include <cstring>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace tern::os {
namespace {

constexpr std::size_t datagram_bytes = 65536;
/// Room for the answers to a whole batch; the default would hold some two hundred of them.
constexpr int request_buffer = 1 << 20;

void option(int fd, int name) {
    const int on = 1;
    // Niceties of newer kernels; without them answers are longer and texts are missing.
    ::setsockopt(fd, SOL_NETLINK, name, &on, sizeof on);
}

}  // namespace

NetlinkSocket::NetlinkSocket(loops::FileDescriptor fd, bool strict)
    : fd_(std::move(fd)), strict_(strict), memory_(datagram_bytes / sizeof(std::uint64_t)) {}

SystemResult<NetlinkSocket> NetlinkSocket::open(std::uint32_t groups) {
    loops::FileDescriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!fd) return system_failure("netlink socket", errno);
    sockaddr_nl name = {};
    name.nl_family = AF_NETLINK;
    name.nl_groups = groups;
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
        return system_failure("netlink bind", errno);
    }
    option(fd.get(), NETLINK_CAP_ACK);
    option(fd.get(), NETLINK_EXT_ACK);
    const int on = 1;
    const bool strict =
        ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on) == 0;
    NetlinkSocket result(std::move(fd), strict);
    if (auto done = result.set_receive_buffer(request_buffer); !done) {
        return tl::unexpected<SystemError>(done.error());
    }
    return result;
}

SystemResult<void> NetlinkSocket::set_receive_buffer(std::uint32_t bytes) {
    const int size = static_cast<int>(bytes);
    if (::setsockopt(fd(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) == 0) return {};
    if (::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0) return {};
    return system_failure("netlink receive buffer", errno);
}

SystemResult<void> NetlinkSocket::send(Bytes bytes) {
    while (true) {
        const ssize_t n = ::send(fd(), bytes.data(), bytes.size(), 0);
        if (n >= 0) return {};
        if (errno != EINTR) return system_failure("netlink send", errno);
    }
}

SystemResult<Bytes> NetlinkSocket::receive_flags(int flags) {
    auto* const data = reinterpret_cast<std::uint8_t*>(memory_.data());
    while (true) {
        sockaddr_nl from = {};
        socklen_t from_size = sizeof from;
        const ssize_t n = ::recvfrom(fd(), data, datagram_bytes, flags,
                                     reinterpret_cast<sockaddr*>(&from), &from_size);
        if (n < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK) return Bytes();
            return system_failure("netlink receive", errno);
        }
        // Other processes may send to our port; only the kernel (port 0) is believed.
        if (from.nl_pid == 0 && n > 0) return Bytes(data, static_cast<std::size_t>(n));
    }
}

SystemResult<Bytes> NetlinkSocket::receive() {
    return receive_flags(MSG_DONTWAIT);
}

SystemResult<void> NetlinkSocket::begin_dump(std::uint16_t type,
                                             std::uint8_t family,
                                             std::uint32_t table) {
    alignas(8) std::array<std::uint8_t, 64> request = {};
    dump_sequence_ = sequence_++;
    dump_interrupted_ = false;
    const std::size_t length = netlink::encode_dump(request, type, family, table, dump_sequence_);
    return send({request.data(), length});
}

SystemResult<bool> NetlinkSocket::step_dump(Each each, void* context) {
    auto datagram = receive_flags(0);
    if (!datagram) return tl::unexpected<SystemError>(datagram.error());
    while (true) {
        const Bytes message = netlink::next_message(*datagram);
        if (message.empty()) return false;
        const netlink::Header header = netlink::header_of(message);
        if (header.sequence != dump_sequence_) continue;  // left over from an earlier request
        if ((header.flags & NLM_F_DUMP_INTR) != 0) dump_interrupted_ = true;
        if (header.type == NLMSG_DONE) {
            if (dump_interrupted_) return system_failure("netlink dump", EINTR);
            return true;
        }
        if (header.type == NLMSG_ERROR) {
            const auto error = netlink::decode_error(message);
            return system_failure("netlink dump", error ? error->number : EPROTO);
        }
        each(message, context);
    }
}

SystemResult<void> NetlinkSocket::dump(
    std::uint16_t type, std::uint8_t family, std::uint32_t table, Each each, void* context) {
    if (auto begun = begin_dump(type, family, table); !begun) return begun;
    while (true) {
        const auto step = step_dump(each, context);
        if (!step) return tl::unexpected<SystemError>(step.error());
        if (*step) return {};
    }
}

// ------------------------------------------------------------------------------------------------

RouteBatch::RouteBatch(NetlinkSocket& socket)
    : socket_(socket), memory_(memory_bytes / sizeof(std::uint64_t)) {}

void RouteBatch::add(const netlink::RouteMessage& route,
                     std::uint16_t flags,
                     std::uint64_t number) {
    for (int attempt = 0; attempt < 2; ++attempt) {
        if (numbers_.size() == messages_max) flush();
        auto* const base = reinterpret_cast<std::uint8_t*>(memory_.data());
        const MutableBytes room(base + used_, memory_bytes - used_);
        const std::size_t length = netlink::encode_route(room, route, flags, socket_.sequence_);
        if (length != 0) {
            if (numbers_.empty()) first_sequence_ = socket_.sequence_;
            ++socket_.sequence_;
            last_at_ = used_;
            used_ += (length + 3) / 4 * 4;
            numbers_.push_back(number);
            return;
        }
        if (used_ == 0) break;
        flush();
    }
    failures_.push_back({number, EMSGSIZE});
}

void RouteBatch::flush() {
    if (numbers_.empty()) return;
    auto* const base = reinterpret_cast<std::uint8_t*>(memory_.data());
    // Refusals always come back; asking the last message for an acknowledgement marks the end.
    nlmsghdr last = {};
    std::memcpy(&last, base + last_at_, sizeof last);
    last.nlmsg_flags = static_cast<std::uint16_t>(last.nlmsg_flags | NLM_F_ACK);
    std::memcpy(base + last_at_, &last, sizeof last);
    if (auto done = socket_.send({base, used_}); !done) {
        fail_rest(0, done.error().number);
    } else {
        collect();
    }
    used_ = 0;
    numbers_.clear();
}

void RouteBatch::collect() {
    const auto count = static_cast<std::uint32_t>(numbers_.size());
    while (true) {
        auto datagram = socket_.receive_flags(0);
        if (!datagram) {
            // Answers were lost; whoever asked has to look at the kernel's table again.
            fail_rest(0, datagram.error().number);
            return;
        }
        while (true) {
            const Bytes message = netlink::next_message(*datagram);
            if (message.empty()) break;
            const auto error = netlink::decode_error(message);
            if (!error) continue;
            const std::uint32_t position = error->sequence - first_sequence_;
            if (position >= count) continue;  // left over from an earlier request
            if (error->number != 0) {
                failures_.push_back({numbers_[position], error->number});
                kernel_text_ = error->text;
            }
            if (position + 1 == count) return;
        }
    }
}

void RouteBatch::fail_rest(std::size_t from, int error) {
    for (std::size_t i = from; i < numbers_.size(); ++i)
        failures_.push_back({numbers_[i], error});
}

std::vector<RouteBatch::Failure> RouteBatch::take_failures() {
    std::vector<Failure> result;
    result.swap(failures_);
    return result;
}

// ------------------------------------------------------------------------------------------------

SystemResult<std::unique_ptr<NetlinkMonitor>> NetlinkMonitor::open(loops::Loop& loop,
                                                                   std::uint32_t groups,
                                                                   const Callbacks& callbacks) {
    auto socket = NetlinkSocket::open(groups);
    if (!socket) return tl::unexpected<SystemError>(socket.error());
    return std::unique_ptr<NetlinkMonitor>(new NetlinkMonitor(loop, std::move(*socket), callbacks));
}

NetlinkMonitor::NetlinkMonitor(loops::Loop& loop, NetlinkSocket socket, const Callbacks& callbacks)
    : socket_(std::move(socket)),
      callbacks_(callbacks),
      watcher_(loop,
               socket_.fd(),
               loops::Interest::readable,
               loops::watch_function<&NetlinkMonitor::ready, NetlinkMonitor>(),
               this) {}

void NetlinkMonitor::ready(loops::Turn& turn, loops::Ready) {
    bool any = false;
    while (!turn.out_of_time()) {
        auto datagram = socket_.receive();
        if (!datagram) {
            if (datagram.error().number == ENOBUFS) callbacks_.overrun(callbacks_.context);
            break;
        }
        if (datagram->empty()) break;
        any = true;
        while (true) {
            const Bytes message = netlink::next_message(*datagram);
            if (message.empty()) break;
            callbacks_.message(message, callbacks_.context);
        }
    }
    if (any) callbacks_.batch_end(callbacks_.context);
}

}  // namespace tern::os
