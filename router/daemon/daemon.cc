#include "router/daemon/daemon.h"

#include "alloc/page_cache.h"
#include "loops/page_upkeep.h"
#include "router/base/log_sink.h"
#include "router/os/privileges.h"

#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace tern::daemon {

Daemon::Daemon(const Options& options)
    : options_(options),
      runtime_({.main_domain = &main_domain_}),
      log_(runtime_.clock()),
      finish_(on_finish, this) {
    loops::keep_pages(runtime_, alloc::PageCache::process());
}

Daemon::~Daemon() {
    {
        const locking::TransitLock lock(main_domain_);
        server_.reset();
        signals_.reset();
    }
    router_.reset();
}

int Daemon::fatal(std::string_view text) const {
    fmt::print(stderr, "{}: {}\n", options_.program, text);
    return 1;
}

void Daemon::start_log_to_stderr() {
    if (options_.debug_file.empty() || options_.parse_only) {
        log_.add_sink(
            make_stderr_sink({.program = "bird", .format = iso_long(SubSecond::milliseconds)}),
            all_severities);
        return;
    }
    auto sink =
        make_file_sink({.path = options_.debug_file, .format = iso_long(SubSecond::milliseconds)});
    if (sink) log_.add_sink(std::move(*sink), all_severities);
}

bool Daemon::open_control_socket() {
    if (cli::control_socket_answers(options_.control_socket)) {
        status_ = fatal("I found another BIRD running.");
        return false;
    }
    server_.emplace(runtime_.main_loop(), router_->commands(),
                    static_cast<cli::ServerEvents&>(*this));
    const auto opened = server_->open(options_.control_socket, socket_owner_, {});
    if (opened) return true;
    fmt::print(stderr, "{}: {}\n", options_.program, opened.error().text);
    status_ = fatal("Won't run without control socket");
    return false;
}

/// The form of the error line is BIRD 2's, which tools parse: `bird: file:line:column text`.
std::unique_ptr<config::Config> Daemon::read_configuration() {
    config::ParsedConfig parsed = router_->configurator().read(options_.config_file);
    if (!parsed) {
        fmt::print(stderr, "bird: {}\n", parsed.error().render());
        status_ = 1;
        return nullptr;
    }
    for (const config::Diagnostic& warning : (*parsed)->warnings) {
        fmt::print(stderr, "bird: warning: {}\n", warning.summary());
    }
    return std::move(*parsed);
}

bool Daemon::prepare() {
    os::Identity identity;
    if (!options_.user.empty()) {
        const auto user = os::resolve_user(options_.user);
        if (!user) return (status_ = fatal(user.error().text)) == 0;
        identity.user = *user;
        socket_owner_.user = *user;
    }
    if (!options_.group.empty()) {
        const auto group = os::resolve_group(options_.group);
        if (!group) return (status_ = fatal(group.error().text)) == 0;
        identity.group = *group;
        socket_owner_.group = *group;
    }
    if (!options_.parse_only && !open_control_socket()) return false;
    if (identity.user || identity.group) {
        const auto dropped = os::drop_privileges(identity);
        if (!dropped) return (status_ = fatal(dropped.error().text)) == 0;
    }
    if (!options_.pid_file.empty() && !options_.parse_only) {
        auto file = os::PidFile::open(options_.pid_file);
        if (!file) return (status_ = fatal(file.error().text)) == 0;
        pid_file_ = std::move(*file);
    }
    return true;
}

bool Daemon::daemonize() {
    if (options_.debug || options_.foreground) return true;
    const pid_t child = fork();
    if (child < 0) return (status_ = fatal("fork failed")) == 0;
    if (child > 0) _exit(0);
    setsid();
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return true;
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        dup2(null, fd);
    close(null);
    return true;
}

int Daemon::run() {
    std::signal(SIGPIPE, SIG_IGN);
    std::unique_ptr<config::Config> config;
    {
        const locking::TransitLock lock(main_domain_);
        start_log_to_stderr();
        router_.emplace(RouterParts{runtime_, main_domain_, network_, log_, *this});
        if (!prepare()) return status_;
        config = read_configuration();
        if (config == nullptr || options_.parse_only) return status_;
        if (options_.recovery) {
            log_.log(Severity::warning, {},
                     "Graceful restart recovery is not available in this build");
        }
        if (!daemonize()) return status_;
        if (pid_file_ && !pid_file_->write()) return fatal("Unable to write the PID file");
        signals_ =
            loops::Signals::make(runtime_.main_loop(), {SIGHUP, SIGTERM, SIGINT}, on_signal, this);
        router_->configurator().configure(std::move(config), {});
        log_.log(Severity::info, {}, "Started");
    }
    runtime_.run();
    return status_;
}

void Daemon::reconfigure() {
    Configurator& configurator = router_->configurator();
    config::ParsedConfig parsed = configurator.read(configurator.running()->file);
    if (!parsed) {
        log_.log(Severity::error, {}, "{}", parsed.error().summary());
        return;
    }
    log_.log(Severity::info, {}, "Reconfiguring");
    configurator.configure(std::move(*parsed), {});
}

void Daemon::on_signal(void* context, loops::Turn&, int signal) {
    auto& self = *static_cast<Daemon*>(context);
    if (signal == SIGHUP) {
        self.reconfigure();
    } else {
        self.router_->shutdown();
    }
}

void Daemon::router_finished() {
    log_.log(Severity::fatal, {}, "Shutdown completed");
    finish_.send(runtime_.main_loop());
}

void Daemon::on_finish(void* context, loops::Turn&) {
    auto& self = *static_cast<Daemon*>(context);
    (void)self.server_->drain();
    self.runtime_.quit();
}

void Daemon::no_router_id() {
    log_.log(Severity::fatal, {}, "Cannot determine router ID, please configure it manually");
    status_ = 1;
    runtime_.quit();
}

void Daemon::cli_sockets_changed(const config::Config& config) {
    debug_commands_ = config.debug.commands;
    std::vector<std::string> wanted;
    for (const config::CliSocketConfig& each : config.cli_sockets)
        wanted.push_back(each.path);
    for (const std::string& open : extra_sockets_) {
        if (std::find(wanted.begin(), wanted.end(), open) == wanted.end()) server_->close(open);
    }
    for (const config::CliSocketConfig& each : config.cli_sockets) {
        if (each.path == options_.control_socket ||
            std::find(extra_sockets_.begin(), extra_sockets_.end(), each.path) !=
                extra_sockets_.end()) {
            continue;
        }
        const auto opened =
            server_->open(each.path, socket_owner_,
                          {.restricted = each.restricted, .v2_attributes = each.v2_attributes});
        if (!opened) log_.log(Severity::error, {}, "{}", opened.error().text);
    }
    extra_sockets_ = std::move(wanted);
}

/// The configured destinations; none configured means syslog, or what -d and -D say.
void Daemon::logs_changed(const config::Config& config) {
    std::vector<Logger::Target> targets;
    const TimeFormat& format = config.time_formats.log;
    const auto add = [&](Result<std::unique_ptr<LogSink>> sink, SeverityMask classes) {
        if (sink) {
            targets.push_back({std::move(*sink), classes});
        } else {
            log_.log(Severity::error, {}, "{}", sink.error().text);
        }
    };
    for (const config::LogTarget& each : config.logs) {
        switch (each.kind) {
            case config::LogKind::file:
                add(make_file_sink({each.path, each.limit, each.backup, format}), each.classes);
                break;
            case config::LogKind::fixed:
                add(make_fixed_sink({each.path, each.limit, format}), each.classes);
                break;
            case config::LogKind::syslog:
                add(make_syslog_sink(each.name.empty() ? options_.program : each.name),
                    each.classes);
                break;
            case config::LogKind::stderr_:
                add(make_stderr_sink({"bird", format}), each.classes);
                break;
            case config::LogKind::udp:
                add(make_udp_sink({each.address ? each.address->to_string() : each.host, each.port,
                                   router_->identity().hostname, options_.program}),
                    each.classes);
                break;
        }
    }
    if (config.logs.empty()) {
        if (options_.debug) {
            add(make_stderr_sink({"bird", format}), all_severities);
        } else if (!options_.debug_file.empty()) {
            add(make_file_sink({.path = options_.debug_file, .format = format}), all_severities);
        } else {
            add(make_syslog_sink(options_.program), all_severities);
        }
    }
    log_.set_sinks(std::move(targets));
}

void Daemon::client_connected() {
    if (debug_commands_ > 0) log_.log(Severity::info, {}, "CLI connect");
}

void Daemon::client_gone() {
    if (debug_commands_ > 0) log_.log(Severity::info, {}, "CLI disconnect");
}

void Daemon::command_received(std::string_view line) {
    if (debug_commands_ > 1) log_.log(Severity::trace, {}, "CLI: {}", line);
}

void Daemon::server_error(std::string_view text) {
    log_.log(Severity::error, {}, "CLI: {}", text);
}

}  // namespace tern::daemon
