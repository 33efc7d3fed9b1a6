#include "router/daemon/daemon.h"

#include "alloc/page_cache.h"
#include "loops/page_upkeep.h"
#include "router/base/log_sink.h"
#include "router/daemon/dump.h"
#include "router/daemon/page_limits.h"
#include "router/os/heap.h"
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
      thread_watch_(runtime_, log_),
      finish_(on_finish, this) {
    loops::keep_pages(runtime_, alloc::PageCache::process());
}

Daemon::~Daemon() {
    {
        const locking::TransitLock lock(main_domain_);
        server_.reset();
        signals_.reset();
    }
    alloc::PageCache::process().on_exhaustion(nullptr, nullptr);
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
        const std::string_view what =
            parsed.error().position.known() ? "" : "Unable to open configuration file ";
        fmt::print(stderr, "bird: {}{}\n", what, parsed.error().render());
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
        router_.emplace(RouterParts{runtime_, main_domain_, network_, files_, log_, *this});
        alloc::PageCache::process().on_exhaustion(alloc::tell_largest, &router_->pool());
        if (!prepare()) return status_;
        config = read_configuration();
        if (config == nullptr || options_.parse_only) return status_;
        if (!daemonize()) return status_;
        if (pid_file_ && !pid_file_->write()) return fatal("Unable to write the PID file");
        signals_ = loops::Signals::make(runtime_.main_loop(), {SIGHUP, SIGUSR1, SIGTERM, SIGINT},
                                        on_signal, this);
        if (options_.recovery) router_->recovery().begin(config->graceful_restart_wait);
        router_->configurator().configure(std::move(config), {});
        log_.log(Severity::info, {}, "Started");
    }
    runtime_.run();
    return status_;
}

void Daemon::reconfigure() {
    if (router_->shutting_down()) return;
    Configurator& configurator = router_->configurator();
    config::ParsedConfig parsed = configurator.read(configurator.file());
    if (!parsed) {
        log_.log(Severity::error, {}, "{}", parsed.error().summary());
        return;
    }
    for (const config::Diagnostic& warning : (*parsed)->warnings)
        log_.log(Severity::warning, {}, "{}", warning.summary());
    log_.log(Severity::info, {}, "Reconfiguring");
    configurator.configure(std::move(*parsed), {});
}

void Daemon::on_signal(void* context, loops::Turn&, int signal) {
    auto& self = *static_cast<Daemon*>(context);
    switch (signal) {
        case SIGHUP:
            self.reconfigure();
            return;
        case SIGUSR1:
            self.dump();
            return;
        default:
            self.router_->shutdown(false);
            return;
    }
}

/// Into the working directory; an earlier dump is not overwritten.
void Daemon::dump() {
    static constexpr const char* path = "bird.dump";
    const Result<std::size_t> done = dump_everything(*router_, path);
    if (done) {
        log_.log(Severity::info, {}, "Dumped {} bytes to {}", *done, path);
    } else {
        log_.log(Severity::error, {}, "Cannot dump to {}: {}", path, done.error().text);
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

void Daemon::configured(const config::Config& config) {
    debug_commands_ = config.debug.commands;
    open_logs(config);
    open_sockets(config);
    thread_watch_.configure(config.watchdog);
    set_page_limits(alloc::PageCache::process(), config.memory);
    os::trim_heap();  // the configuration before the last one has just gone
    // They may refer to the configuration before the last one, which goes now.
    server_->stop_long_replies(cli::ReplyCode::stopped, "Stopped due to reconfiguration");
}

void Daemon::undo_begins() {
    server_->notice_undo("Config timeout expired, starting undo");
}

/// Sockets that stay as they are keep their listener; sessions go on in any case.
void Daemon::open_sockets(const config::Config& config) {
    const std::vector<config::CliSocketConfig>& wanted = config.cli_sockets;
    const auto among = [](const std::vector<config::CliSocketConfig>& all,
                          const config::CliSocketConfig& one) {
        return std::any_of(all.begin(), all.end(), [&](const config::CliSocketConfig& each) {
            return each.path == one.path && each.restricted == one.restricted &&
                   each.v2_attributes == one.v2_attributes;
        });
    };
    for (const config::CliSocketConfig& each : extra_sockets_) {
        if (!among(wanted, each)) server_->close(each.path);
    }
    std::vector<config::CliSocketConfig> open;
    for (const config::CliSocketConfig& each : wanted) {
        if (each.path == options_.control_socket) {
            log_.log(Severity::error, {},
                     "CLI socket {} is the main one, its options do not change", each.path);
            continue;
        }
        if (!among(extra_sockets_, each)) {
            const auto opened =
                server_->open(each.path, socket_owner_,
                              {.restricted = each.restricted, .v2_attributes = each.v2_attributes});
            if (!opened) {
                log_.log(Severity::error, {}, "{}", opened.error().text);
                continue;
            }
        }
        open.push_back(each);
    }
    extra_sockets_ = std::move(open);
}

/// The configured destinations; none configured means syslog, or what -d and -D say.
void Daemon::open_logs(const config::Config& config) {
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
