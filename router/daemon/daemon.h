#pragma once
/// The process around one Router: command line, files, privileges, log, control sockets, signals.
/// One object on main()'s stack. It owns the runtime and runs its main loop; when `run()` returns
/// the process is ready to end with the status given. It knows no protocol.

#include "loops/signals.h"
#include "router/base/log_sink.h"
#include "router/cli/server.h"
#include "router/daemon/last_words.h"
#include "router/daemon/options.h"
#include "router/daemon/router.h"
#include "router/daemon/thread_watch.h"
#include "router/os/files.h"
#include "router/os/system_network.h"

#include <optional>
#include <string>
#include <vector>

namespace tern::daemon {

class Daemon final : private RouterObserver, private cli::ServerEvents {
  public:
    explicit Daemon(const Options& options);
    ~Daemon();

    /// Everything from the control socket to the end; the exit status.
    int run();

  private:
    [[nodiscard]] bool prepare();
    [[nodiscard]] bool open_control_socket();
    [[nodiscard]] std::unique_ptr<config::Config> read_configuration();
    [[nodiscard]] bool daemonize();
    void start_log_to_stderr();
    [[nodiscard]] int fatal(std::string_view text) const;
    void reconfigure();
    void dump();
    static void on_signal(void* daemon, loops::Turn& turn, int signal);
    static void on_finish(void* daemon, loops::Turn& turn);

    void open_sockets(const config::Config& config);
    void open_logs(const config::Config& config);

    void router_finished() override;
    void configured(const config::Config& config) override;
    void undo_begins() override;
    void no_router_id() override;
    void client_connected() override;
    void client_gone() override;
    void command_received(std::string_view line) override;
    void server_error(std::string_view text) override;

    Options options_;
    locking::Domain<level::Control> main_domain_{"main"};
    loops::Runtime runtime_;
    Logger log_;
    LastWords last_words_{log_};
    os::SystemNetwork network_;
    config::FileReader files_;
    ThreadWatch thread_watch_;
    std::optional<Router> router_;
    std::optional<cli::Server> server_;
    std::unique_ptr<loops::Signals> signals_;
    std::optional<os::PidFile> pid_file_;
    cli::SocketOwner socket_owner_;
    std::vector<config::CliSocketConfig> extra_sockets_;
    std::uint32_t debug_commands_ = 0;
    loops::Event finish_;
    int status_ = 0;
};

}  // namespace tern::daemon
