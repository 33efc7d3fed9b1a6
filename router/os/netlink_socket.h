#pragma once
/// Netlink sockets: requests that wait for their acknowledgement, dumps, batches of route changes,
/// and the kernel's own notifications. The bytes are netlink_codec's business. Each object has one
/// descriptor and belongs to one loop (the main loop); the kernel answers requests before the send
/// returns, so waiting for an answer does not block in practice. Nothing is retried here: a lost
/// answer is reported and the owner scans again.

#include "loops/file_descriptor.h"
#include "loops/watcher.h"
#include "router/os/netlink_codec.h"
#include "router/os/system_error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace tern::os {

/// A route netlink socket with its sequence numbers and receive memory.
class NetlinkSocket {
  public:
    /// `groups`: RTMGRP_* bits; 0 for requests.
    [[nodiscard]] static SystemResult<NetlinkSocket> open(std::uint32_t groups);

    [[nodiscard]] int fd() const { return fd_.get(); }

    /// Dumps can be limited to a table (the kernel checks requests strictly).
    [[nodiscard]] bool strict() const { return strict_; }

    /// Bytes the kernel may queue for us; never less than it is. Needs CAP_NET_ADMIN to exceed
    /// limits.
    SystemResult<void> set_receive_buffer(std::uint32_t bytes);

    /// Sends a dump and hands each message to `each` until the end. EINTR stands for a table that
    /// changed under the dump: what came is not consistent, the caller may dump again.
    using Each = void (*)(Bytes message, void* context);
    SystemResult<void> dump(
        std::uint16_t type, std::uint8_t family, std::uint32_t table, Each each, void* context);

    /// The same in pieces: begin, then step until it says that it is done. One at a time per
    /// socket.
    SystemResult<void> begin_dump(std::uint16_t type, std::uint8_t family, std::uint32_t table);
    /// Hands over the messages of one datagram; true at the end.
    SystemResult<bool> step_dump(Each each, void* context);

    /// One datagram without waiting; empty at EAGAIN. The bytes live until the next call.
    [[nodiscard]] SystemResult<Bytes> receive();

  private:
    friend class RouteBatch;
    NetlinkSocket(loops::FileDescriptor fd, bool strict);

    SystemResult<void> send(Bytes bytes);
    [[nodiscard]] SystemResult<Bytes> receive_flags(int flags);

    loops::FileDescriptor fd_;
    bool strict_;
    std::uint32_t sequence_ = 1;
    std::uint32_t dump_sequence_ = 0;
    bool dump_interrupted_ = false;
    std::vector<std::uint64_t> memory_;  // aligned; one datagram
};

/// Many route changes in one system call. Each change has a number of the caller's, by which a
/// refusal is reported; what is not reported was done.
class RouteBatch {
  public:
    struct Failure {
        std::uint64_t number = 0;  ///< the caller's
        int error = 0;             ///< errno
    };

    explicit RouteBatch(NetlinkSocket& socket);
    RouteBatch(const RouteBatch&) = delete;
    RouteBatch& operator=(const RouteBatch&) = delete;

    /// `flags`: NLM_F_CREATE with NLM_F_EXCL or NLM_F_REPLACE, 0 for a removal. Sends what was
    /// queued before when the batch is full. A route too large for any message fails with EMSGSIZE.
    void add(const netlink::RouteMessage& route, std::uint16_t flags, std::uint64_t number);
    /// Sends what is queued and collects the answers.
    void flush();
    /// Refusals since the last call, in order of the changes.
    [[nodiscard]] std::vector<Failure> take_failures();

    /// Text the kernel gave with its latest refusal; may be empty.
    [[nodiscard]] const std::string& kernel_text() const { return kernel_text_; }

    [[nodiscard]] std::size_t pending() const { return numbers_.size(); }

  private:
    static constexpr std::size_t messages_max = 256;
    static constexpr std::size_t memory_bytes = 60000;

    void collect();
    void fail_rest(std::size_t from, int error);

    NetlinkSocket& socket_;
    std::vector<std::uint64_t> memory_;
    std::size_t used_ = 0;
    std::size_t last_at_ = 0;
    std::uint32_t first_sequence_ = 0;
    std::vector<std::uint64_t> numbers_;
    std::vector<Failure> failures_;
    std::string kernel_text_;
};

/// Listens to the kernel's notifications in a loop.
class NetlinkMonitor {
  public:
    struct Callbacks {
        void (*message)(Bytes message, void* context) = nullptr;
        /// After the last message of what was there: publish what was gathered.
        void (*batch_end)(void* context) = nullptr;
        /// Messages were lost (ENOBUFS): everything has to be scanned again.
        void (*overrun)(void* context) = nullptr;
        void* context = nullptr;
    };

    [[nodiscard]] static SystemResult<std::unique_ptr<NetlinkMonitor>> open(
        loops::Loop& loop, std::uint32_t groups, const Callbacks& callbacks);
    NetlinkMonitor(const NetlinkMonitor&) = delete;
    NetlinkMonitor& operator=(const NetlinkMonitor&) = delete;

    [[nodiscard]] NetlinkSocket& socket() { return socket_; }

  private:
    NetlinkMonitor(loops::Loop& loop, NetlinkSocket socket, const Callbacks& callbacks);
    void ready(loops::Turn& turn, loops::Ready what);

    NetlinkSocket socket_;
    Callbacks callbacks_;
    loops::Watcher watcher_;
};

}  // namespace tern::os
