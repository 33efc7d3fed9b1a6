#pragma once
/// The host's network: TCP over the kernel's sockets (see network.h for the contract).
/// Owned by the router; has no state of its own, so any loop may use it at any time.
/// It never resolves names and never blocks: a connect in progress is reported by callback.

#include "router/os/network.h"

namespace tern::os {

class SystemNetwork final : public Network {
  public:
    [[nodiscard]] SystemResult<std::unique_ptr<TcpConnection>> connect(
        loops::Loop& loop, const ConnectOptions& options, const TcpCallbacks& callbacks) override;
    [[nodiscard]] SystemResult<std::unique_ptr<TcpListener>> listen(loops::Loop& loop,
                                                                    const ListenOptions& options,
                                                                    AcceptFunction accept,
                                                                    void* context) override;
};

}  // namespace tern::os
